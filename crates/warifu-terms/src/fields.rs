//! Dictionary of segments, fields and components for people: English and Japanese names.
//!
//! Sources: HL7 v2.5 chapters 2–4, 6, 7, 12 (English names, order, data types); SS-MIX2
//! 標準化ストレージ仕様書 and JAHIS データ交換規約 共通編 (Japanese names, usage, `ZPR`, `ZPD`, `ZI1`, `ZE1`,
//! `ZE2`). Data types are those of SS-MIX2, which reads `CE` as `CWE`.

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// `PID`
    pub id: &'static str,
    /// English name.
    pub en: &'static str,
    /// Japanese name.
    pub ja: &'static str,
    /// The names of the fields as packed rows.
    names: &'static str,
    /// What else there is of them.
    rows: &'static str,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Position, from 1; for MSH the field separator is 1.
    pub n: u8,
    /// English name.
    pub en: &'static str,
    /// Japanese name; empty where no Japanese document names the field.
    pub ja: &'static str,
    /// Data type; `*` for OBX-5, whose type OBX-2 tells.
    pub datatype: &'static str,
    /// Longest length in characters that HL7 v2.5 gives.
    pub length: u32,
    /// Use in SS-MIX2: `R` required, `RE` required if known, `C` conditional, `O` optional; `X{kinds}`
    /// for those data kinds only, `X(orders)` for all order and result kinds; several parts are
    /// separated by a blank; empty when SS-MIX2 does not use the field. See [`FieldInfo::usage_in`].
    pub usage: &'static str,
}

/// One component of a data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentInfo {
    /// Position, from 1.
    pub n: u8,
    /// English name.
    pub en: &'static str,
    /// Japanese name.
    pub ja: &'static str,
    /// Data type.
    pub datatype: &'static str,
}

/// One data type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatatypeInfo {
    /// `XPN`
    pub id: &'static str,
    /// English name.
    pub en: &'static str,
    /// Japanese name.
    pub ja: &'static str,
    /// The components as packed rows.
    rows: &'static str,
}

/// How SS-MIX2 uses a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// `R` 必須
    Required,
    /// `RE` 必須（値がある場合）
    RequiredIfKnown,
    /// `C` 条件付き必須
    Conditional,
    /// `O` 任意
    Optional,
    /// Not used by SS-MIX2 (`N`), for this kind or at all.
    NotUsed,
}

impl SegmentInfo {
    /// The fields in order, without gaps; none for a segment SS-MIX2 only names.
    pub fn fields(&self) -> impl Iterator<Item = FieldInfo> {
        let rows = self.names.lines().zip(self.rows.lines());
        rows.zip(1..).map(|(row, n)| FieldInfo::of(n, row))
    }
    /// Field `n`, from 1.
    pub fn field(&self, n: usize) -> Option<FieldInfo> {
        let mut rows = self.names.lines().zip(self.rows.lines());
        let row = rows.nth(n.checked_sub(1)?)?;
        Some(FieldInfo::of(u8::try_from(n).ok()?, row))
    }
}

impl DatatypeInfo {
    /// Whether the type has no components.
    pub fn is_primitive(&self) -> bool {
        self.rows.is_empty()
    }
    /// The components in order, without gaps; none for a primitive type.
    pub fn components(&self) -> impl Iterator<Item = ComponentInfo> {
        self.rows
            .lines()
            .zip(1..)
            .map(|(row, n)| ComponentInfo::of(n, row))
    }
    /// Component `n`, from 1.
    pub fn component(&self, n: usize) -> Option<ComponentInfo> {
        let row = self.rows.lines().nth(n.checked_sub(1)?)?;
        Some(ComponentInfo::of(u8::try_from(n).ok()?, row))
    }
}

impl ComponentInfo {
    /// Reads a packed row.
    fn of(n: u8, row: &'static str) -> Self {
        let mut cells = row.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        c(n, cell(), cell(), cell())
    }
}

impl FieldInfo {
    /// Reads a packed row.
    fn of(n: u8, (names, row): (&'static str, &'static str)) -> Self {
        let (en, ja) = split_names(names);
        let mut cells = row.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let datatype = cell();
        let length = cell().parse().unwrap_or(0);
        f(n, en, ja, datatype, length, cell())
    }
    /// The use of this field in a data kind such as `OML-11`.
    ///
    /// A field of the order segments counts as not used in kinds that its list leaves out. (The
    /// published table leaves out OBX in ADT-00 although real files carry it.)
    pub fn usage_in(&self, kind: &str) -> Usage {
        self.usage
            .split(' ')
            .find_map(|part| {
                let at = part.find(['{', '(']).unwrap_or(part.len());
                let (mark, scope) = part.split_at_checked(at)?;
                let usage = match mark {
                    "R" => Usage::Required,
                    "RE" => Usage::RequiredIfKnown,
                    "C" => Usage::Conditional,
                    "O" => Usage::Optional,
                    _ => return None,
                };
                let applies = match scope {
                    "" => true,
                    "(orders)" => is_order_kind(kind),
                    list => list
                        .trim_matches(['{', '}'])
                        .split(',')
                        .any(|one| one == kind),
                };
                applies.then_some(usage)
            })
            .unwrap_or(Usage::NotUsed)
    }
}

/// The kinds with ORC: diseases, diet, drugs, tests, imaging.
fn is_order_kind(kind: &str) -> bool {
    kind == "PPR-01" || kind.starts_with("OM")
}

/// A segment by its id; case matters.
///
/// ```
/// let pid = warifu_terms::fields::segment("PID").unwrap();
/// assert_eq!((pid.ja, pid.fields().count()), ("患者識別", 39));
/// ```
pub fn segment(id: &str) -> Option<&'static SegmentInfo> {
    let id: &[u8; 3] = id.as_bytes().try_into().ok()?;
    SEGMENTS.get(place_of(*id)?)
}

/// Whether a segment of this name is known.
pub fn is_segment(name: [u8; 3]) -> bool {
    place_of(name).is_some()
}

/// Whether the first field of a segment only numbers it (`SI`).
pub fn is_numbered(name: [u8; 3]) -> bool {
    let brief = place_of(name).and_then(|at| BRIEFS.get(at));
    brief.is_some_and(|brief| brief.numbered)
}

/// English and Japanese name of field `n` (from 1) of a segment.
///
/// ```
/// let name = warifu_terms::fields::field_names("PID", 5);
/// assert_eq!(name, Some(("Patient Name", "患者氏名")));
/// ```
pub fn field_names(segment_id: &str, n: usize) -> Option<(&'static str, &'static str)> {
    let names = segment(segment_id)?.names;
    names.lines().nth(n.checked_sub(1)?).map(split_names)
}

fn split_names(row: &'static str) -> (&'static str, &'static str) {
    row.split_once('\t').unwrap_or((row, ""))
}

/// Place of a segment among all.
fn place_of([a, b, c]: [u8; 3]) -> Option<usize> {
    let id = u32::from_be_bytes([0, a, b, c]);
    BRIEFS.binary_search_by_key(&id, |brief| brief.id).ok()
}

/// What of a segment is asked for most. It stands apart, so that in wasm the rest can be loaded later.
#[derive(Clone, Copy)]
struct Brief {
    /// The id as a number, which compares fast.
    id: u32,
    numbered: bool,
}

static BRIEFS: [Brief; SEGMENTS.len()] = briefs();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when compiled; all ids have three characters"
)]
const fn briefs() -> [Brief; SEGMENTS.len()] {
    let mut briefs = [Brief {
        id: 0,
        numbered: false,
    }; SEGMENTS.len()];
    let mut i = 0;
    while i < briefs.len() {
        let SegmentInfo { id, rows, .. } = SEGMENTS[i];
        let (id, rows) = (id.as_bytes(), rows.as_bytes());
        briefs[i] = Brief {
            id: u32::from_be_bytes([0, id[0], id[1], id[2]]),
            numbered: matches!(rows, [b'S', b'I', b'\t', ..]),
        };
        i += 1;
    }
    briefs
}

/// Field `n` (from 1) of a segment.
///
/// ```
/// let name = warifu_terms::fields::field("PID", 5).unwrap();
/// assert_eq!((name.en, name.ja, name.datatype), ("Patient Name", "患者氏名", "XPN"));
/// ```
pub fn field(segment_id: &str, n: usize) -> Option<FieldInfo> {
    segment(segment_id)?.field(n)
}

/// A data type, primitive ones included.
///
/// ```
/// let name = warifu_terms::fields::datatype("XPN").unwrap().component(1).unwrap();
/// assert_eq!((name.en, name.ja), ("Family Name", "姓"));
/// ```
pub fn datatype(id: &str) -> Option<&'static DatatypeInfo> {
    let at = DATATYPES.binary_search_by(|one| one.id.cmp(id)).ok()?;
    DATATYPES.get(at)
}

/// Component `n` (from 1) of a data type.
pub fn component(datatype_id: &str, n: usize) -> Option<ComponentInfo> {
    datatype(datatype_id)?.component(n)
}

/// All segments, sorted by id.
pub fn segments() -> &'static [SegmentInfo] {
    SEGMENTS
}

/// Segment row.
const fn s(
    id: &'static str,
    en: &'static str,
    ja: &'static str,
    (names, rows): (&'static str, &'static str),
) -> SegmentInfo {
    SegmentInfo {
        id,
        en,
        ja,
        names,
        rows,
    }
}

/// Of a segment that SS-MIX2 only names.
const NONE: (&str, &str) = ("", "");

/// Field row.
const fn f(
    n: u8,
    en: &'static str,
    ja: &'static str,
    datatype: &'static str,
    length: u32,
    usage: &'static str,
) -> FieldInfo {
    FieldInfo {
        n,
        en,
        ja,
        datatype,
        length,
        usage,
    }
}

/// Component row.
const fn c(n: u8, en: &'static str, ja: &'static str, datatype: &'static str) -> ComponentInfo {
    ComponentInfo {
        n,
        en,
        ja,
        datatype,
    }
}

/// Data type row.
const fn d(
    id: &'static str,
    en: &'static str,
    ja: &'static str,
    rows: &'static str,
) -> DatatypeInfo {
    DatatypeInfo { id, en, ja, rows }
}

// The rows below are read by the compiler only. What a program carries is their text, a line a row,
// a tab between cells: a third of the bytes of slices of strings, and less again after gzip.

/// Text that is written while compiling; with `N` = 0 only its length is found.
struct Packer<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "evaluated by the compiler only: an index out of range would not build"
)]
impl<const N: usize> Packer<N> {
    const fn byte(&mut self, byte: u8) {
        if N > 0 {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
    }
    const fn cell(&mut self, text: &str, end: u8) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            assert!(text[i] >= b' ', "tabs and line breaks separate");
            self.byte(text[i]);
            i += 1;
        }
        self.byte(end);
    }
    const fn number(&mut self, number: u32, end: u8) {
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            self.byte(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
        self.byte(end);
    }
    const fn fields(rows: &[FieldInfo]) -> Self {
        let mut to = Self {
            bytes: [0; N],
            length: 0,
        };
        let mut i = 0;
        while i < rows.len() {
            let row = rows[i];
            assert!(row.n as usize == i + 1, "rows are in order, without gaps");
            to.cell(row.datatype, b'\t');
            to.number(row.length, b'\t');
            to.cell(row.usage, b'\n');
            i += 1;
        }
        to
    }
    const fn names(rows: &[FieldInfo]) -> Self {
        let mut to = Self {
            bytes: [0; N],
            length: 0,
        };
        let mut i = 0;
        while i < rows.len() {
            to.cell(rows[i].en, b'\t');
            to.cell(rows[i].ja, b'\n');
            i += 1;
        }
        to
    }
    const fn components(rows: &[ComponentInfo]) -> Self {
        let mut to = Self {
            bytes: [0; N],
            length: 0,
        };
        let mut i = 0;
        while i < rows.len() {
            let row = rows[i];
            assert!(row.n as usize == i + 1, "rows are in order, without gaps");
            to.cell(row.en, b'\t');
            to.cell(row.ja, b'\t');
            to.cell(row.datatype, b'\n');
            i += 1;
        }
        to
    }
}

const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("texts are UTF-8"),
    }
}

/// The packed texts of rows of fields: names, and the rest.
macro_rules! fields {
    ($rows:ident) => {{
        const NAMES: usize = Packer::<0>::names($rows).length;
        const NAME_BYTES: [u8; NAMES] = Packer::<NAMES>::names($rows).bytes;
        const LENGTH: usize = Packer::<0>::fields($rows).length;
        const BYTES: [u8; LENGTH] = Packer::<LENGTH>::fields($rows).bytes;
        (text(&NAME_BYTES), text(&BYTES))
    }};
}

/// The packed text of rows of components.
macro_rules! components {
    ($rows:ident) => {{
        const LENGTH: usize = Packer::<0>::components($rows).length;
        static BYTES: [u8; LENGTH] = Packer::<LENGTH>::components($rows).bytes;
        text(&BYTES)
    }};
}

/// アレルギー情報 (Patient Allergy Information).
const AL1: &[FieldInfo] = &[
    f(1, "Set ID - AL1", "セットID－AL1", "SI", 4, "R"),
    f(2, "Allergen Type Code", "アレルゲン分類", "CWE", 250, "O"),
    f(
        3,
        "Allergen Code/Mnemonic/Description",
        "アレルゲン情報",
        "CWE",
        250,
        "R",
    ),
    f(
        4,
        "Allergy Severity Code",
        "アレルギー重症度",
        "CWE",
        250,
        "",
    ),
    f(
        5,
        "Allergy Reaction Code",
        "アレルギー反応情報",
        "ST",
        15,
        "",
    ),
    f(6, "Identification Date", "判定日", "DT", 8, ""),
];

/// 治験識別情報 (Clinical Trial Identification).
const CTI: &[FieldInfo] = &[
    f(1, "Sponsor Study ID", "治験依頼者の治験ID", "EI", 60, "R"),
    f(
        2,
        "Study Phase Identifier",
        "治験段階識別子",
        "CWE",
        250,
        "C",
    ),
    f(
        3,
        "Study Scheduled Time Point",
        "治験予定時点",
        "CWE",
        250,
        "O",
    ),
];

/// 障害情報 (Disability).
const DB1: &[FieldInfo] = &[
    f(1, "Set ID - DB1", "セットID－DB1", "SI", 4, "R"),
    f(2, "Disabled Person Code", "身体障害情報", "IS", 2, "R"),
    f(
        3,
        "Disabled Person Identifier",
        "身体障害者ID",
        "CX",
        250,
        "",
    ),
    f(4, "Disabled Indicator", "身体障害の有無", "ID", 1, "R"),
    f(5, "Disability Start Date", "身体障害発生日", "DT", 8, ""),
    f(6, "Disability End Date", "身体障害回復日", "DT", 8, ""),
    f(
        7,
        "Disability Return to Work Date",
        "職場復帰日",
        "DT",
        8,
        "",
    ),
    f(
        8,
        "Disability Unable to Work Date",
        "就労不能日",
        "DT",
        8,
        "",
    ),
];

/// 診断 (Diagnosis).
const DG1: &[FieldInfo] = &[
    f(1, "Set ID - DG1", "セットID－DG1", "SI", 4, ""),
    f(
        2,
        "Diagnosis Coding Method",
        "診断コード化方式",
        "ID",
        2,
        "",
    ),
    f(3, "Diagnosis Code - DG1", "診断コード", "CE", 250, ""),
    f(4, "Diagnosis Description", "診断記述", "ST", 40, ""),
    f(5, "Diagnosis Date/Time", "診断日時", "TS", 26, ""),
    f(6, "Diagnosis Type", "診断種別", "IS", 2, ""),
    f(
        7,
        "Major Diagnostic Category",
        "主要診断カテゴリ",
        "CE",
        250,
        "",
    ),
    f(8, "Diagnostic Related Group", "診断関連群", "CE", 250, ""),
    f(9, "DRG Approval Indicator", "DRG承認識別情報", "ID", 1, ""),
    f(10, "DRG Grouper Review Code", "DRG検査コード", "IS", 2, ""),
    f(11, "Outlier Type", "異常値タイプ", "CE", 250, ""),
    f(12, "Outlier Days", "異常値日数", "NM", 3, ""),
    f(13, "Outlier Cost", "異常値費用", "CP", 12, ""),
    f(
        14,
        "Grouper Version And Type",
        "グルーパのバージョンと種別",
        "ST",
        4,
        "",
    ),
    f(15, "Diagnosis Priority", "診断優先度", "ID", 2, ""),
    f(16, "Diagnosing Clinician", "診断医師", "XCN", 250, ""),
    f(17, "Diagnosis Classification", "診断分類", "IS", 3, ""),
    f(18, "Confidential Indicator", "機密識別情報", "ID", 1, ""),
    f(19, "Attestation Date/Time", "証明日時", "TS", 26, ""),
    f(20, "Diagnosis Identifier", "診断識別子", "EI", 427, ""),
    f(
        21,
        "Diagnosis Action Code",
        "診断アクションコード",
        "ID",
        1,
        "",
    ),
];

/// 継続ポインタ (Continuation Pointer).
const DSC: &[FieldInfo] = &[
    f(1, "Continuation Pointer", "継続ポインタ", "ST", 180, ""),
    f(2, "Continuation Style", "継続スタイル", "ID", 1, ""),
];

/// イベントタイプ (Event Type).
const EVN: &[FieldInfo] = &[
    f(1, "Event Type Code", "事象型コード", "ID", 3, ""),
    f(2, "Recorded Date/Time", "事象記録日時", "TS", 26, "R"),
    f(3, "Date/Time Planned Event", "事象計画日時", "TS", 26, "C"),
    f(4, "Event Reason Code", "事象理由コード", "IS", 3, "O"),
    f(5, "Operator ID", "操作者ID", "XCN", 250, "O"),
    f(6, "Event Occurred", "事象発生日時", "TS", 26, "C"),
    f(7, "Event Facility", "事象施設", "HD", 241, "RE"),
];

/// 患者アレルギー・有害反応情報 (Patient Adverse Reaction Information).
const IAM: &[FieldInfo] = &[
    f(1, "Set ID - IAM", "セットID－IAM", "SI", 4, "R"),
    f(2, "Allergen Type Code", "アレルゲン分類", "CWE", 250, "O"),
    f(
        3,
        "Allergen Code/Mnemonic/Description",
        "アレルゲン情報",
        "CWE",
        250,
        "R",
    ),
    f(
        4,
        "Allergy Severity Code",
        "アレルギー重症度",
        "CWE",
        250,
        "O",
    ),
    f(
        5,
        "Allergy Reaction Code",
        "アレルギー反応情報",
        "ST",
        15,
        "O",
    ),
    f(
        6,
        "Allergy Action Code",
        "アレルギーアクションコード",
        "CNE",
        250,
        "R",
    ),
    f(
        7,
        "Allergy Unique Identifier",
        "アレルギー識別情報",
        "EI",
        427,
        "C",
    ),
    f(
        8,
        "Action Reason",
        "アレルギー情報追加・変更理由",
        "ST",
        60,
        "O",
    ),
    f(
        9,
        "Sensitivity to Causative Agent Code",
        "アレルギー物質に対する感受性",
        "CWE",
        250,
        "O",
    ),
    f(
        10,
        "Allergen Group Code/Mnemonic/Description",
        "アレルゲン群情報",
        "CWE",
        250,
        "O",
    ),
    f(11, "Onset Date", "アレルギー発症日", "DT", 8, "O"),
    f(12, "Onset Date Text", "アレルギー発症時期", "ST", 60, "O"),
    f(13, "Reported Date/Time", "情報提供日時", "TS", 8, "O"),
    f(14, "Reported By", "情報提供者", "XPN", 250, "O"),
    f(
        15,
        "Relationship to Patient Code",
        "情報提供者と患者の続柄",
        "CWE",
        250,
        "O",
    ),
    f(16, "Alert Device Code", "警告装置コード", "CWE", 250, ""),
    f(
        17,
        "Allergy Clinical Status Code",
        "アレルギー臨床確認状況",
        "CWE",
        250,
        "O",
    ),
    f(18, "Statused by Person", "確認者", "XCN", 250, "O"),
    f(19, "Statused by Organization", "確認機関", "XON", 250, "O"),
    f(20, "Statused at Date/Time", "確認日時", "TS", 8, "O"),
];

/// 保険情報 (Insurance).
const IN1: &[FieldInfo] = &[
    f(1, "Set ID - IN1", "セットID－IN1", "SI", 4, "R"),
    f(
        2,
        "Insurance Plan ID",
        "保険プランID（保険種別）",
        "CWE",
        250,
        "R",
    ),
    f(
        3,
        "Insurance Company ID",
        "保険会社ID（保険者番号）",
        "CX",
        250,
        "O",
    ),
    f(
        4,
        "Insurance Company Name",
        "保険会社名（保険者名）",
        "XON",
        250,
        "C",
    ),
    f(5, "Insurance Company Address", "保険者住所", "XAD", 250, ""),
    f(
        6,
        "Insurance Co Contact Person",
        "保険者連絡担当者",
        "XPN",
        250,
        "",
    ),
    f(
        7,
        "Insurance Co Phone Number",
        "保険者電話番号",
        "XTN",
        250,
        "",
    ),
    f(8, "Group Number", "グループ番号", "ST", 12, ""),
    f(9, "Group Name", "グループ名", "XON", 250, ""),
    f(
        10,
        "Insured's Group Emp ID",
        "被保険者グループ雇用者ID（記号・番号・枝番）",
        "CX",
        250,
        "C",
    ),
    f(
        11,
        "Insured's Group Emp Name",
        "被保険者グループ雇用者名",
        "XON",
        250,
        "C",
    ),
    f(12, "Plan Effective Date", "プラン有効日付", "DT", 8, "O"),
    f(13, "Plan Expiration Date", "プラン失効日付", "DT", 8, "O"),
    f(14, "Authorization Information", "認可情報", "AUI", 239, ""),
    f(
        15,
        "Plan Type",
        "プランタイプ（保険区分の詳細）",
        "IS",
        3,
        "C",
    ),
    f(16, "Name Of Insured", "被保険者氏名", "XPN", 250, ""),
    f(
        17,
        "Insured's Relationship To Patient",
        "被保険者と患者の関係",
        "CWE",
        250,
        "O",
    ),
    f(
        18,
        "Insured's Date Of Birth",
        "被保険者生年月日",
        "TS",
        26,
        "",
    ),
    f(19, "Insured's Address", "被保険者住所", "XAD", 250, ""),
    f(20, "Assignment Of Benefits", "給付の割当て", "IS", 2, ""),
    f(21, "Coordination Of Benefits", "給付の調整", "IS", 2, ""),
    f(
        22,
        "Coord Of Ben. Priority",
        "給付調整の優先度",
        "ST",
        2,
        "",
    ),
    f(
        23,
        "Notice Of Admission Flag",
        "入院通知フラグ",
        "ID",
        1,
        "",
    ),
    f(24, "Notice Of Admission Date", "入院通知日", "DT", 8, ""),
    f(
        25,
        "Report Of Eligibility Flag",
        "受給資格報告フラグ",
        "ID",
        1,
        "",
    ),
    f(
        26,
        "Report Of Eligibility Date",
        "受給資格報告日",
        "DT",
        8,
        "",
    ),
    f(
        27,
        "Release Information Code",
        "情報公開コード",
        "IS",
        2,
        "",
    ),
    f(28, "Pre-Admit Cert (PAC)", "入院前証明", "ST", 15, ""),
    f(29, "Verification Date/Time", "検証日時", "TS", 26, ""),
    f(30, "Verification By", "検証者", "XCN", 250, ""),
    f(31, "Type Of Agreement Code", "契約種別コード", "IS", 2, ""),
    f(32, "Billing Status", "請求状態", "IS", 2, ""),
    f(33, "Lifetime Reserve Days", "生涯留保日数", "NM", 4, ""),
    f(
        34,
        "Delay Before L.R. Day",
        "生涯留保日前の遅延",
        "NM",
        4,
        "",
    ),
    f(35, "Company Plan Code", "会社プランコード", "IS", 8, ""),
    f(36, "Policy Number", "証券番号", "ST", 15, ""),
    f(37, "Policy Deductible", "控除免責額", "CP", 12, ""),
    f(38, "Policy Limit - Amount", "限度額", "CP", 12, ""),
    f(39, "Policy Limit - Days", "限度日数", "NM", 4, ""),
    f(40, "Room Rate - Semi-Private", "準個室料金", "CP", 12, ""),
    f(41, "Room Rate - Private", "個室料金", "CP", 12, ""),
    f(
        42,
        "Insured's Employment Status",
        "被保険者の雇用状態",
        "CWE",
        250,
        "",
    ),
    f(
        43,
        "Insured's Administrative Sex",
        "被保険者の性別",
        "IS",
        1,
        "",
    ),
    f(
        44,
        "Insured's Employer's Address",
        "被保険者の雇用主住所",
        "XAD",
        250,
        "",
    ),
    f(45, "Verification Status", "検証状態", "ST", 2, ""),
    f(46, "Prior Insurance Plan ID", "以前の保険種別", "IS", 8, ""),
    f(47, "Coverage Type", "給付種別", "IS", 3, ""),
    f(48, "Handicap", "障害", "IS", 2, ""),
    f(49, "Insured's ID Number", "被保険者番号", "CX", 250, ""),
    f(50, "Signature Code", "署名コード", "IS", 1, ""),
    f(51, "Signature Code Date", "署名日", "DT", 8, ""),
    f(52, "Insured's Birth Place", "被保険者出生地", "ST", 250, ""),
    f(53, "VIP Indicator", "VIP識別情報", "IS", 2, ""),
];

/// 画像検査手続き制御 (Imaging Procedure Control Segment).
const IPC: &[FieldInfo] = &[
    f(1, "Accession Identifier", "受付番号", "EI", 80, "R"),
    f(2, "Requested Procedure ID", "要求手続きID", "EI", 22, "O"),
    f(
        3,
        "Study Instance UID",
        "検査インスタンスUID",
        "EI",
        70,
        "R",
    ),
    f(
        4,
        "Scheduled Procedure Step ID",
        "予約済手続きステップID",
        "EI",
        22,
        "O",
    ),
    f(5, "Modality", "モダリティ", "CWE", 16, "R"),
    f(6, "Protocol Code", "プロトコルコード", "CWE", 250, "O"),
    f(
        7,
        "Scheduled Station Name",
        "予約済ステーション名",
        "EI",
        22,
        "O",
    ),
    f(
        8,
        "Scheduled Procedure Step Location",
        "予約済手続きステップ場所",
        "CWE",
        250,
        "O",
    ),
    f(9, "Scheduled AE Title", "予約済AEタイトル", "ST", 16, "O"),
];

/// 患者併合情報 (Merge Patient Information).
const MRG: &[FieldInfo] = &[
    f(
        1,
        "Prior Patient Identifier List",
        "以前の患者IDリスト",
        "CX",
        250,
        "",
    ),
    f(
        2,
        "Prior Alternate Patient ID",
        "以前の代替患者ID",
        "CX",
        250,
        "",
    ),
    f(
        3,
        "Prior Patient Account Number",
        "以前の患者会計番号",
        "CX",
        250,
        "",
    ),
    f(4, "Prior Patient ID", "以前の患者ID", "CX", 250, ""),
    f(5, "Prior Visit Number", "以前の来院番号", "CX", 250, ""),
    f(
        6,
        "Prior Alternate Visit ID",
        "以前の代替来院ID",
        "CX",
        250,
        "",
    ),
    f(7, "Prior Patient Name", "以前の患者氏名", "XPN", 250, ""),
];

/// メッセージ応答 (Message Acknowledgment).
const MSA: &[FieldInfo] = &[
    f(1, "Acknowledgment Code", "応答コード", "ID", 2, ""),
    f(2, "Message Control ID", "メッセージ制御ID", "ST", 20, ""),
    f(3, "Text Message", "テキストメッセージ", "ST", 80, ""),
    f(
        4,
        "Expected Sequence Number",
        "予期シーケンス番号",
        "NM",
        15,
        "",
    ),
    f(
        5,
        "Delayed Acknowledgment Type",
        "遅延応答タイプ",
        "ID",
        1,
        "",
    ),
    f(6, "Error Condition", "エラー状態", "CE", 250, ""),
];

/// メッセージヘッダ (Message Header).
const MSH: &[FieldInfo] = &[
    f(1, "Field Separator", "フィールド区切文字", "ST", 1, "R"),
    f(2, "Encoding Characters", "コード化文字", "ST", 4, "R"),
    f(
        3,
        "Sending Application",
        "送信アプリケーション",
        "HD",
        227,
        "O",
    ),
    f(4, "Sending Facility", "送信施設", "HD", 227, "O"),
    f(
        5,
        "Receiving Application",
        "受信アプリケーション",
        "HD",
        227,
        "O",
    ),
    f(6, "Receiving Facility", "受信施設", "HD", 227, "O"),
    f(7, "Date/Time Of Message", "メッセージ日時", "TS", 26, "R"),
    f(8, "Security", "セキュリティ", "ST", 40, ""),
    f(9, "Message Type", "メッセージ型", "MSG", 15, "R"),
    f(10, "Message Control ID", "メッセージ制御ID", "ST", 20, "R"),
    f(11, "Processing ID", "処理ID", "PT", 3, "R"),
    f(12, "Version ID", "バージョンID", "VID", 60, "R"),
    f(13, "Sequence Number", "シーケンス番号", "NM", 15, ""),
    f(14, "Continuation Pointer", "継続ポインタ", "ST", 180, ""),
    f(
        15,
        "Accept Acknowledgment Type",
        "受諾肯定応答タイプ",
        "ID",
        2,
        "",
    ),
    f(
        16,
        "Application Acknowledgment Type",
        "アプリケーション肯定応答タイプ",
        "ID",
        2,
        "",
    ),
    f(17, "Country Code", "国コード", "ID", 3, ""),
    f(18, "Character Set", "文字セット", "ID", 16, "R"),
    f(
        19,
        "Principal Language Of Message",
        "メッセージの主要言語",
        "CWE",
        250,
        "",
    ),
    f(
        20,
        "Alternate Character Set Handling Scheme",
        "代替文字セット操作法",
        "ID",
        20,
        "O",
    ),
    f(
        21,
        "Message Profile Identifier",
        "メッセージプロファイル識別子",
        "EI",
        427,
        "",
    ),
];

/// 近親者・関係者 (Next of Kin / Associated Parties).
const NK1: &[FieldInfo] = &[
    f(1, "Set ID - NK1", "セットID－NK1", "SI", 4, "R"),
    f(2, "Name", "氏名", "XPN", 250, "O"),
    f(3, "Relationship", "続柄", "CWE", 250, "O"),
    f(4, "Address", "住所", "XAD", 250, "O"),
    f(5, "Phone Number", "電話番号", "XTN", 250, "O"),
    f(
        6,
        "Business Phone Number",
        "勤務先電話番号",
        "XTN",
        250,
        "O",
    ),
    f(7, "Contact Role", "連絡先役割", "CWE", 250, ""),
    f(8, "Start Date", "開始日", "DT", 8, ""),
    f(9, "End Date", "終了日", "DT", 8, ""),
    f(
        10,
        "Next of Kin / Associated Parties Job Title",
        "職名",
        "ST",
        60,
        "",
    ),
    f(
        11,
        "Next of Kin / Associated Parties Job Code/Class",
        "職業コード／職種",
        "JCC",
        20,
        "",
    ),
    f(
        12,
        "Next of Kin / Associated Parties Employee Number",
        "従業員番号",
        "CX",
        250,
        "",
    ),
    f(13, "Organization Name - NK1", "所属組織名", "XON", 250, "O"),
    f(14, "Marital Status", "婚姻状況", "CWE", 250, ""),
    f(15, "Administrative Sex", "性別", "IS", 1, ""),
    f(16, "Date/Time of Birth", "生年月日", "TS", 26, ""),
    f(17, "Living Dependency", "生活依存", "IS", 2, ""),
    f(18, "Ambulatory Status", "歩行状態", "IS", 2, ""),
    f(19, "Citizenship", "市民権", "CWE", 250, ""),
    f(20, "Primary Language", "使用言語", "CWE", 250, ""),
    f(21, "Living Arrangement", "生活環境", "IS", 2, ""),
    f(22, "Publicity Code", "公開コード", "CWE", 250, ""),
    f(23, "Protection Indicator", "保護識別情報", "ID", 1, ""),
    f(24, "Student Indicator", "学生識別情報", "IS", 2, ""),
    f(25, "Religion", "宗教", "CWE", 250, ""),
    f(26, "Mother's Maiden Name", "母親の旧姓", "XPN", 250, ""),
    f(27, "Nationality", "国籍", "CWE", 250, ""),
    f(28, "Ethnic Group", "民族", "CWE", 250, ""),
    f(29, "Contact Reason", "連絡理由", "CWE", 250, ""),
    f(
        30,
        "Contact Person's Name",
        "連絡担当者氏名",
        "XPN",
        250,
        "",
    ),
    f(
        31,
        "Contact Person's Telephone Number",
        "連絡担当者電話番号",
        "XTN",
        250,
        "",
    ),
    f(
        32,
        "Contact Person's Address",
        "連絡担当者住所",
        "XAD",
        250,
        "",
    ),
    f(
        33,
        "Next of Kin/Associated Party's Identifiers",
        "近親者・関係者識別子",
        "CX",
        250,
        "",
    ),
    f(34, "Job Status", "就業状態", "IS", 2, ""),
    f(35, "Race", "人種", "CWE", 250, ""),
    f(36, "Handicap", "障害", "IS", 2, ""),
    f(
        37,
        "Contact Person Social Security Number",
        "連絡担当者社会保障番号",
        "ST",
        16,
        "",
    ),
    f(38, "Next of Kin Birth Place", "近親者出生地", "ST", 250, ""),
    f(39, "VIP Indicator", "VIP識別情報", "IS", 2, ""),
];

/// 注釈・コメント (Notes and Comments).
const NTE: &[FieldInfo] = &[
    f(1, "Set ID - NTE", "セットID－NTE", "SI", 4, ""),
    f(2, "Source of Comment", "コメントの出典", "ID", 8, ""),
    f(3, "Comment", "コメント", "FT", 65536, "O"),
    f(4, "Comment Type", "コメントタイプ", "CE", 250, ""),
];

/// 検査依頼 (Observation Request).
const OBR: &[FieldInfo] = &[
    f(
        1,
        "Set ID - OBR",
        "セットID－OBR",
        "SI",
        4,
        "C{OML-01,OML-11} O{OMG-01,OMG-11,OMG-02,OMG-12} R{OMG-03,OMG-13}",
    ),
    f(
        2,
        "Placer Order Number",
        "依頼者オーダ番号",
        "EI",
        22,
        "R(orders)",
    ),
    f(
        3,
        "Filler Order Number",
        "実施者オーダ番号",
        "EI",
        22,
        "O(orders)",
    ),
    f(
        4,
        "Universal Service Identifier",
        "検査項目ID",
        "CWE",
        250,
        "R(orders)",
    ),
    f(5, "Priority - OBR", "優先度", "ID", 2, ""),
    f(6, "Requested Date/Time", "依頼日時", "TS", 26, ""),
    f(
        7,
        "Observation Date/Time #",
        "検査／採取日時",
        "TS",
        26,
        "C{OML-01,OML-11,OMG-03,OMG-13} O{OMG-01,OMG-11,OMG-02,OMG-12}",
    ),
    f(
        8,
        "Observation End Date/Time #",
        "検査／採取終了日時",
        "TS",
        26,
        "O{OML-01,OML-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(9, "Collection Volume *", "採取量", "CQ", 20, ""),
    f(10, "Collector Identifier *", "採取者識別", "XCN", 250, ""),
    f(11, "Specimen Action Code *", "検体処置コード", "ID", 1, ""),
    f(12, "Danger Code", "危険検体コード", "CWE", 250, "O(orders)"),
    f(
        13,
        "Relevant Clinical Information",
        "関連臨床情報",
        "ST",
        300,
        "O{OMG-03,OMG-13}",
    ),
    f(
        14,
        "Specimen Received Date/Time *",
        "検体受理日時",
        "TS",
        26,
        "",
    ),
    f(15, "Specimen Source", "検体採取元", "SPS", 300, ""),
    f(16, "Ordering Provider", "依頼者", "XCN", 250, "O(orders)"),
    f(
        17,
        "Order Callback Phone Number",
        "オーダ報告用電話番号",
        "XTN",
        250,
        "",
    ),
    f(18, "Placer Field 1", "依頼者フィールド1", "ST", 60, ""),
    f(19, "Placer Field 2", "依頼者フィールド2", "ST", 60, ""),
    f(20, "Filler Field 1 +", "実施者フィールド1", "ST", 60, ""),
    f(21, "Filler Field 2 +", "実施者フィールド2", "ST", 60, ""),
    f(
        22,
        "Results Rpt/Status Chng - Date/Time +",
        "結果報告／状態変更日時",
        "TS",
        26,
        "O(orders)",
    ),
    f(
        23,
        "Charge to Practice +",
        "診療に対する課金",
        "MOC",
        40,
        "",
    ),
    f(
        24,
        "Diagnostic Serv Sect ID",
        "診断部門ID",
        "ID",
        10,
        "O{OMG-03,OMG-13}",
    ),
    f(
        25,
        "Result Status +",
        "結果状態",
        "ID",
        1,
        "O{OMG-01,OMG-11,OMG-02,OMG-12} C{OMG-03,OMG-13}",
    ),
    f(
        26,
        "Parent Result +",
        "親結果",
        "PRL",
        400,
        "O{OMG-03,OMG-13}",
    ),
    f(27, "Quantity/Timing", "数量／タイミング", "TQ", 200, ""),
    f(
        28,
        "Result Copies To",
        "結果配布先",
        "XCN",
        250,
        "O{OMG-03,OMG-13}",
    ),
    f(
        29,
        "Parent",
        "親番号",
        "EIP",
        200,
        "C{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(30, "Transportation Mode", "搬送方法", "ID", 20, ""),
    f(31, "Reason for Study", "検査理由", "CWE", 250, ""),
    f(
        32,
        "Principal Result Interpreter +",
        "主な結果判定者",
        "NDL",
        200,
        "",
    ),
    f(
        33,
        "Assistant Result Interpreter +",
        "結果判定補助者",
        "NDL",
        200,
        "",
    ),
    f(34, "Technician +", "技師", "NDL", 200, ""),
    f(35, "Transcriptionist +", "転記者", "NDL", 200, ""),
    f(
        36,
        "Scheduled Date/Time +",
        "予定日時",
        "TS",
        26,
        "O{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        37,
        "Number of Sample Containers *",
        "検体容器数",
        "NM",
        4,
        "",
    ),
    f(
        38,
        "Transport Logistics of Collected Sample *",
        "採取検体の搬送方法",
        "CWE",
        250,
        "",
    ),
    f(
        39,
        "Collector's Comment *",
        "採取者のコメント",
        "CWE",
        250,
        "",
    ),
    f(
        40,
        "Transport Arrangement Responsibility",
        "搬送手配の責任者",
        "CWE",
        250,
        "",
    ),
    f(41, "Transport Arranged", "搬送手配", "ID", 30, ""),
    f(42, "Escort Required", "付添いの要否", "ID", 1, ""),
    f(
        43,
        "Planned Patient Transport Comment",
        "患者搬送計画コメント",
        "CWE",
        250,
        "",
    ),
    f(44, "Procedure Code", "処置コード", "CWE", 250, ""),
    f(
        45,
        "Procedure Code Modifier",
        "処置コード修飾子",
        "CWE",
        250,
        "",
    ),
    f(
        46,
        "Placer Supplemental Service Information",
        "依頼者補足サービス情報",
        "CWE",
        250,
        "",
    ),
    f(
        47,
        "Filler Supplemental Service Information",
        "実施者補足サービス情報",
        "CWE",
        250,
        "",
    ),
    f(
        48,
        "Medically Necessary Duplicate Procedure Reason",
        "医学的に必要な重複処置の理由",
        "CWE",
        250,
        "",
    ),
    f(49, "Result Handling", "結果の取扱い", "IS", 2, ""),
];

/// 検査結果 (Observation/Result).
const OBX: &[FieldInfo] = &[
    f(1, "Set ID - OBX", "セットID－OBX", "SI", 4, "O(orders)"),
    f(
        2,
        "Value Type",
        "値型",
        "ID",
        2,
        "C{OML-01,OML-11} R{OMP-02,OMP-12,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        3,
        "Observation Identifier",
        "検査項目",
        "CWE",
        250,
        "R(orders)",
    ),
    f(
        4,
        "Observation Sub-ID",
        "検査副ID",
        "ST",
        20,
        "C{OMG-03,OMG-13}",
    ),
    f(
        5,
        "Observation Value",
        "検査値",
        "*",
        65536,
        "C{OML-01,OML-11,OMP-02,OMP-12,OMG-03,OMG-13} R{OMG-01,OMG-11,OMG-02,OMG-12}",
    ),
    f(6, "Units", "単位", "CWE", 250, "O(orders)"),
    f(7, "References Range", "基準値範囲", "ST", 60, ""),
    f(8, "Abnormal Flags", "異常フラグ", "IS", 5, ""),
    f(9, "Probability", "確率", "NM", 5, ""),
    f(10, "Nature of Abnormal Test", "異常検査の性質", "ID", 2, ""),
    f(
        11,
        "Observation Result Status",
        "検査結果状態",
        "ID",
        1,
        "R(orders)",
    ),
    f(
        12,
        "Effective Date of Reference Range",
        "基準値範囲発効日",
        "TS",
        26,
        "",
    ),
    f(
        13,
        "User Defined Access Checks",
        "使用者定義アクセス点検",
        "ST",
        20,
        "",
    ),
    f(
        14,
        "Date/Time of the Observation",
        "検査日時",
        "TS",
        26,
        "O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(15, "Producer's ID", "検査実施者ID", "CWE", 250, ""),
    f(16, "Responsible Observer", "検査責任者", "XCN", 250, ""),
    f(17, "Observation Method", "検査方法", "CWE", 250, ""),
    f(
        18,
        "Equipment Instance Identifier",
        "装置識別子",
        "EI",
        22,
        "",
    ),
    f(19, "Date/Time of the Analysis", "分析日時", "TS", 26, ""),
];

/// 食事オーダ (Dietary Orders, Supplements, and Preferences).
const ODS: &[FieldInfo] = &[
    f(1, "Type", "食事種別", "ID", 1, "R"),
    f(2, "Service Period", "食事時期", "CWE", 250, "O"),
    f(
        3,
        "Diet, Supplement, or Preference Code",
        "食種・補助食・嗜好コード",
        "CWE",
        250,
        "R",
    ),
    f(4, "Text Instruction", "食事指示テキスト", "ST", 80, "O"),
];

/// 配膳指示 (Diet Tray Instructions).
const ODT: &[FieldInfo] = &[
    f(1, "Tray Type", "配膳種別", "CE", 250, ""),
    f(2, "Service Period", "食事時期", "CE", 250, ""),
    f(3, "Text Instruction", "配膳指示テキスト", "ST", 80, ""),
];

/// 共通オーダ (Common Order).
const ORC: &[FieldInfo] = &[
    f(1, "Order Control", "オーダ制御", "ID", 2, "R(orders)"),
    f(
        2,
        "Placer Order Number",
        "依頼者オーダ番号",
        "EI",
        22,
        "R(orders)",
    ),
    f(
        3,
        "Filler Order Number",
        "実施者オーダ番号",
        "EI",
        22,
        "O{PPR-01,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        4,
        "Placer Group Number",
        "依頼者グループ番号",
        "EI",
        22,
        "O{PPR-01,OML-01,OML-11,OMG-03,OMG-13} R{OMP-01,OMP-11,OMP-02,OMP-12}",
    ),
    f(
        5,
        "Order Status",
        "オーダ状態",
        "ID",
        2,
        "RE{OML-01,OML-11} O{OMG-03,OMG-13}",
    ),
    f(6, "Response Flag", "応答フラグ", "ID", 1, ""),
    f(7, "Quantity/Timing", "数量／タイミング", "TQ", 200, ""),
    f(
        8,
        "Parent",
        "親",
        "EIP",
        200,
        "C{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        9,
        "Date/Time of Transaction",
        "トランザクション日時",
        "TS",
        26,
        "O{PPR-01,OMD,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11} R{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(10, "Entered By", "入力者", "XCN", 250, "O(orders)"),
    f(11, "Verified By", "検証者", "XCN", 250, ""),
    f(
        12,
        "Ordering Provider",
        "依頼者",
        "XCN",
        250,
        "O{PPR-01,OMD,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11} R{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        13,
        "Enterer's Location",
        "入力場所",
        "PL",
        80,
        "O{PPR-01,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        14,
        "Call Back Phone Number",
        "コールバック用電話番号",
        "XTN",
        250,
        "",
    ),
    f(
        15,
        "Order Effective Date/Time",
        "オーダ有効日時",
        "TS",
        26,
        "O(orders)",
    ),
    f(
        16,
        "Order Control Code Reason",
        "オーダ制御コードの理由",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        17,
        "Entering Organization",
        "入力組織（診療科）",
        "CWE",
        250,
        "O{PPR-01,OMD,OMP-01,OMP-11,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12} R{OMP-02,OMP-12,OMG-03,OMG-13}",
    ),
    f(18, "Entering Device", "入力装置", "CWE", 250, "O(orders)"),
    f(19, "Action By", "発動者", "XCN", 250, ""),
    f(
        20,
        "Advanced Beneficiary Notice Code",
        "事前受給者通知コード",
        "CWE",
        250,
        "",
    ),
    f(
        21,
        "Ordering Facility Name",
        "オーダ施設名",
        "XON",
        250,
        "O{PPR-01,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        22,
        "Ordering Facility Address",
        "オーダ施設住所",
        "XAD",
        250,
        "O{PPR-01,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        23,
        "Ordering Facility Phone Number",
        "オーダ施設電話番号",
        "XTN",
        250,
        "O{PPR-01,OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OML-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        24,
        "Ordering Provider Address",
        "オーダ提供者住所",
        "XAD",
        250,
        "",
    ),
    f(
        25,
        "Order Status Modifier",
        "オーダ状態修飾子",
        "CWE",
        250,
        "",
    ),
    f(
        26,
        "Advanced Beneficiary Notice Override Reason",
        "事前受給者通知の変更理由",
        "CWE",
        60,
        "",
    ),
    f(
        27,
        "Filler's Expected Availability Date/Time",
        "実施者の対応可能予定日時",
        "TS",
        26,
        "",
    ),
    f(28, "Confidentiality Code", "機密保持コード", "CWE", 250, ""),
    f(
        29,
        "Order Type",
        "オーダタイプ（患者区分）",
        "CWE",
        250,
        "O{PPR-01,OMP-01,OMP-11,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13} R{OMP-02,OMP-12} RE{OML-01,OML-11}",
    ),
    f(
        30,
        "Enterer Authorization Mode",
        "入力者許可モード",
        "CNE",
        250,
        "",
    ),
];

/// 患者追加属性 (Patient Additional Demographic).
const PD1: &[FieldInfo] = &[
    f(1, "Living Dependency", "生活依存", "IS", 2, ""),
    f(2, "Living Arrangement", "生活環境", "IS", 2, ""),
    f(
        3,
        "Patient Primary Facility",
        "患者の主たる施設",
        "XON",
        250,
        "",
    ),
    f(
        4,
        "Patient Primary Care Provider Name & ID No.",
        "かかりつけ医",
        "XCN",
        250,
        "",
    ),
    f(5, "Student Indicator", "学生識別情報", "IS", 2, ""),
    f(6, "Handicap", "障害", "IS", 2, ""),
    f(7, "Living Will Code", "生前遺言コード", "IS", 2, ""),
    f(8, "Organ Donor Code", "臓器提供コード", "IS", 2, ""),
    f(9, "Separate Bill", "個別請求", "ID", 1, ""),
    f(10, "Duplicate Patient", "重複患者", "CX", 250, ""),
    f(11, "Publicity Code", "公開コード", "CE", 250, ""),
    f(12, "Protection Indicator", "保護識別情報", "ID", 1, ""),
    f(
        13,
        "Protection Indicator Effective Date",
        "保護識別情報発効日",
        "DT",
        8,
        "",
    ),
    f(14, "Place of Worship", "礼拝所", "XON", 250, ""),
    f(
        15,
        "Advance Directive Code",
        "事前指示コード",
        "CE",
        250,
        "",
    ),
    f(
        16,
        "Immunization Registry Status",
        "予防接種登録状態",
        "IS",
        1,
        "",
    ),
    f(
        17,
        "Immunization Registry Status Effective Date",
        "予防接種登録状態発効日",
        "DT",
        8,
        "",
    ),
    f(
        18,
        "Publicity Code Effective Date",
        "公開コード発効日",
        "DT",
        8,
        "",
    ),
    f(19, "Military Branch", "", "IS", 5, ""),
    f(20, "Military Rank/Grade", "", "IS", 2, ""),
    f(21, "Military Status", "", "IS", 3, ""),
];

/// 患者識別 (Patient Identification).
const PID: &[FieldInfo] = &[
    f(1, "Set ID - PID", "セットID－PID", "SI", 4, "O"),
    f(2, "Patient ID", "患者ID", "CX", 20, ""),
    f(
        3,
        "Patient Identifier List",
        "患者ID リスト",
        "CX",
        250,
        "R",
    ),
    f(4, "Alternate Patient ID - PID", "代替患者ID", "CX", 20, ""),
    f(5, "Patient Name", "患者氏名", "XPN", 250, "R"),
    f(6, "Mother's Maiden Name", "母親の旧姓", "XPN", 250, ""),
    f(7, "Date/Time of Birth", "生年月日", "TS", 26, "R"),
    f(8, "Administrative Sex", "性別", "IS", 1, "R"),
    f(9, "Patient Alias", "患者別名", "XPN", 250, ""),
    f(10, "Race", "人種", "CWE", 250, ""),
    f(11, "Patient Address", "患者住所", "XAD", 250, "O"),
    f(12, "County Code", "郡コード", "IS", 4, ""),
    f(13, "Phone Number - Home", "電話番号－自宅", "XTN", 250, "O"),
    f(
        14,
        "Phone Number - Business",
        "電話番号－勤務先",
        "XTN",
        250,
        "O",
    ),
    f(15, "Primary Language", "使用言語", "CWE", 250, ""),
    f(16, "Marital Status", "婚姻状況", "CWE", 250, ""),
    f(17, "Religion", "宗教", "CWE", 250, ""),
    f(18, "Patient Account Number", "患者会計番号", "CX", 250, ""),
    f(19, "SSN Number - Patient", "社会保険番号", "ST", 16, ""),
    f(
        20,
        "Driver's License Number - Patient",
        "運転免許証番号",
        "DLN",
        25,
        "",
    ),
    f(21, "Mother's Identifier", "母親の識別情報", "CX", 250, ""),
    f(22, "Ethnic Group", "民族", "CWE", 250, ""),
    f(23, "Birth Place", "出生地", "ST", 250, ""),
    f(
        24,
        "Multiple Birth Indicator",
        "多胎児識別情報",
        "ID",
        1,
        "",
    ),
    f(25, "Birth Order", "誕生順序", "NM", 2, ""),
    f(26, "Citizenship", "市民権", "CWE", 250, ""),
    f(
        27,
        "Veterans Military Status",
        "退役軍人状況",
        "CWE",
        250,
        "",
    ),
    f(28, "Nationality", "国籍", "CWE", 250, ""),
    f(
        29,
        "Patient Death Date and Time",
        "患者死亡日時",
        "TS",
        26,
        "",
    ),
    f(
        30,
        "Patient Death Indicator",
        "患者死亡識別情報",
        "ID",
        1,
        "",
    ),
    f(
        31,
        "Identity Unknown Indicator",
        "身元不明識別情報",
        "ID",
        1,
        "",
    ),
    f(
        32,
        "Identity Reliability Code",
        "身元信頼性コード",
        "IS",
        20,
        "",
    ),
    f(33, "Last Update Date/Time", "最終更新日時", "TS", 26, "C"),
    f(34, "Last Update Facility", "最終更新施設", "HD", 241, ""),
    f(35, "Species Code", "種コード", "CWE", 250, ""),
    f(36, "Breed Code", "品種コード", "CWE", 250, ""),
    f(37, "Strain", "系統", "ST", 80, ""),
    f(
        38,
        "Production Class Code",
        "生産分類コード",
        "CWE",
        250,
        "",
    ),
    f(39, "Tribal Citizenship", "部族市民権", "CWE", 250, ""),
];

/// プロブレム詳細 (Problem Details).
const PRB: &[FieldInfo] = &[
    f(1, "Action Code", "アクションコード", "ID", 2, "R"),
    f(2, "Action Date/Time", "アクション日時", "TS", 26, "R"),
    f(3, "Problem ID", "プロブレムID（病名）", "CWE", 260, "R"),
    f(
        4,
        "Problem Instance ID",
        "プロブレムインスタンスID",
        "EI",
        60,
        "R",
    ),
    f(5, "Episode of Care ID", "診療エピソードID", "EI", 60, "O"),
    f(
        6,
        "Problem List Priority",
        "プロブレムリスト優先度",
        "NM",
        60,
        "O",
    ),
    f(
        7,
        "Problem Established Date/Time",
        "プロブレム設定日時（開始日）",
        "TS",
        26,
        "O",
    ),
    f(
        8,
        "Anticipated Problem Resolution Date/Time",
        "予想されるプロブレム解決日時",
        "TS",
        26,
        "O",
    ),
    f(
        9,
        "Actual Problem Resolution Date/Time",
        "実際のプロブレム解決日時（転帰日）",
        "TS",
        26,
        "O",
    ),
    f(
        10,
        "Problem Classification",
        "プロブレムの分類（ICD-10・診断の種別）",
        "CWE",
        250,
        "O",
    ),
    f(
        11,
        "Problem Management Discipline",
        "プロブレムマネジメント職種",
        "CWE",
        250,
        "O",
    ),
    f(
        12,
        "Problem Persistence",
        "プロブレムの長期化",
        "CWE",
        250,
        "O",
    ),
    f(
        13,
        "Problem Confirmation Status",
        "プロブレムの確認状態（疑い）",
        "CWE",
        250,
        "O",
    ),
    f(
        14,
        "Problem Life Cycle Status",
        "プロブレムのライフサイクル状態（転帰）",
        "CWE",
        250,
        "O",
    ),
    f(
        15,
        "Problem Life Cycle Status Date/Time",
        "プロブレムのライフサイクル状態の日時",
        "TS",
        26,
        "O",
    ),
    f(
        16,
        "Problem Date of Onset",
        "プロブレムの発生日付",
        "TS",
        26,
        "O",
    ),
    f(
        17,
        "Problem Onset Text",
        "プロブレムの発生テキスト",
        "TS",
        80,
        "O",
    ),
    f(
        18,
        "Problem Ranking",
        "プロブレムのランキング（主診断）",
        "CWE",
        250,
        "O",
    ),
    f(
        19,
        "Certainty of Problem",
        "プロブレムの確実性",
        "CWE",
        250,
        "O",
    ),
    f(
        20,
        "Probability of Problem (0-1)",
        "プロブレムの確率",
        "NM",
        5,
        "O",
    ),
    f(
        21,
        "Individual Awareness of Problem",
        "患者本人のプロブレムの認識（告知）",
        "CWE",
        250,
        "O",
    ),
    f(22, "Problem Prognosis", "プロブレムの予後", "CWE", 250, "O"),
    f(
        23,
        "Individual Awareness of Prognosis",
        "患者本人の予後の認識",
        "CWE",
        250,
        "O",
    ),
    f(
        24,
        "Family/Significant Other Awareness of Problem/Prognosis",
        "家族・重要関係者の認識",
        "ST",
        250,
        "O",
    ),
    f(
        25,
        "Security/Sensitivity",
        "セキュリティ／感受性",
        "CWE",
        250,
        "O",
    ),
];

/// 来院情報 (Patient Visit).
const PV1: &[FieldInfo] = &[
    f(1, "Set ID - PV1", "セットID－PV1", "SI", 4, "O"),
    f(2, "Patient Class", "患者区分", "IS", 1, "R"),
    f(
        3,
        "Assigned Patient Location",
        "患者所在場所",
        "PL",
        80,
        "O",
    ),
    f(4, "Admission Type", "入院区分", "IS", 2, ""),
    f(5, "Preadmit Number", "事前入院番号", "CX", 250, ""),
    f(
        6,
        "Prior Patient Location",
        "患者の以前の所在",
        "PL",
        80,
        "O",
    ),
    f(7, "Attending Doctor", "主治医", "XCN", 250, "O"),
    f(8, "Referring Doctor", "紹介医", "XCN", 250, ""),
    f(9, "Consulting Doctor", "診察医師", "XCN", 250, ""),
    f(10, "Hospital Service", "診療部門（診療科）", "IS", 3, "C"),
    f(11, "Temporary Location", "一時的所在場所", "PL", 80, ""),
    f(
        12,
        "Preadmit Test Indicator",
        "入院前検査識別情報",
        "IS",
        2,
        "",
    ),
    f(13, "Re-admission Indicator", "再入院識別情報", "IS", 2, ""),
    f(14, "Admit Source", "入院経路", "IS", 6, ""),
    f(15, "Ambulatory Status", "歩行状態", "IS", 2, ""),
    f(16, "VIP Indicator", "VIP識別情報", "IS", 2, ""),
    f(17, "Admitting Doctor", "入院時医師", "XCN", 250, "O"),
    f(18, "Patient Type", "患者タイプ", "IS", 2, ""),
    f(19, "Visit Number", "来院番号", "CX", 250, ""),
    f(20, "Financial Class", "会計分類", "FC", 50, ""),
    f(
        21,
        "Charge Price Indicator",
        "料金価格識別情報",
        "IS",
        2,
        "",
    ),
    f(22, "Courtesy Code", "優待コード", "IS", 2, ""),
    f(23, "Credit Rating", "信用格付け", "IS", 2, ""),
    f(24, "Contract Code", "契約コード", "IS", 2, ""),
    f(25, "Contract Effective Date", "契約発効日", "DT", 8, ""),
    f(26, "Contract Amount", "契約金額", "NM", 12, ""),
    f(27, "Contract Period", "契約期間", "NM", 3, ""),
    f(28, "Interest Code", "金利コード", "IS", 2, ""),
    f(
        29,
        "Transfer to Bad Debt Code",
        "貸倒れ移行コード",
        "IS",
        4,
        "",
    ),
    f(30, "Transfer to Bad Debt Date", "貸倒れ移行日", "DT", 8, ""),
    f(
        31,
        "Bad Debt Agency Code",
        "貸倒れ代行者コード",
        "IS",
        10,
        "",
    ),
    f(32, "Bad Debt Transfer Amount", "貸倒れ移行額", "NM", 12, ""),
    f(33, "Bad Debt Recovery Amount", "貸倒れ回収額", "NM", 12, ""),
    f(
        34,
        "Delete Account Indicator",
        "会計削除識別情報",
        "IS",
        1,
        "",
    ),
    f(35, "Delete Account Date", "会計削除日", "DT", 8, ""),
    f(36, "Discharge Disposition", "退院区分", "IS", 3, "O"),
    f(37, "Discharged to Location", "退院先", "DLD", 47, ""),
    f(38, "Diet Type", "食事タイプ", "CWE", 250, ""),
    f(39, "Servicing Facility", "サービス施設", "IS", 2, ""),
    f(40, "Bed Status", "病床状態", "IS", 1, ""),
    f(41, "Account Status", "会計状態", "IS", 2, ""),
    f(42, "Pending Location", "予定所在場所", "PL", 80, ""),
    f(
        43,
        "Prior Temporary Location",
        "以前の一時的所在場所",
        "PL",
        80,
        "",
    ),
    f(
        44,
        "Admit Date/Time",
        "入院日時（外来は受付日時）",
        "TS",
        26,
        "O",
    ),
    f(45, "Discharge Date/Time", "退院日時", "TS", 26, "O"),
    f(
        46,
        "Current Patient Balance",
        "現在の患者残高",
        "NM",
        12,
        "",
    ),
    f(47, "Total Charges", "料金総計", "NM", 12, ""),
    f(48, "Total Adjustments", "調整総計", "NM", 12, ""),
    f(49, "Total Payments", "支払総計", "NM", 12, ""),
    f(50, "Alternate Visit ID", "代替来院ID", "CX", 250, ""),
    f(51, "Visit Indicator", "来院識別情報", "IS", 1, ""),
    f(
        52,
        "Other Healthcare Provider",
        "他の医療従事者",
        "XCN",
        250,
        "",
    ),
];

/// 来院情報－追加 (Patient Visit - Additional Information).
const PV2: &[FieldInfo] = &[
    f(
        1,
        "Prior Pending Location",
        "事前保留所在場所（転入予定先）",
        "PL",
        80,
        "C",
    ),
    f(2, "Accommodation Code", "療養環境コード", "CWE", 250, ""),
    f(3, "Admit Reason", "入院理由", "CWE", 250, ""),
    f(4, "Transfer Reason", "転科・転棟理由", "CWE", 250, ""),
    f(5, "Patient Valuables", "患者所持品", "ST", 25, ""),
    f(
        6,
        "Patient Valuables Location",
        "患者所持品保管場所",
        "ST",
        25,
        "",
    ),
    f(7, "Visit User Code", "来院使用者コード", "IS", 2, ""),
    f(8, "Expected Admit Date/Time", "予定入院日時", "TS", 26, "C"),
    f(
        9,
        "Expected Discharge Date/Time",
        "予定退院日時",
        "TS",
        26,
        "C",
    ),
    f(
        10,
        "Estimated Length of Inpatient Stay",
        "推定入院期間",
        "NM",
        3,
        "",
    ),
    f(
        11,
        "Actual Length of Inpatient Stay",
        "実入院期間",
        "NM",
        3,
        "",
    ),
    f(12, "Visit Description", "来院説明", "ST", 50, ""),
    f(13, "Referral Source Code", "紹介元コード", "XCN", 250, ""),
    f(14, "Previous Service Date", "前回サービス日", "DT", 8, ""),
    f(
        15,
        "Employment Illness Related Indicator",
        "職業病識別情報",
        "ID",
        1,
        "",
    ),
    f(16, "Purge Status Code", "消去状態コード", "IS", 1, ""),
    f(17, "Purge Status Date", "消去状態日", "DT", 8, ""),
    f(
        18,
        "Special Program Code",
        "特別プログラムコード",
        "IS",
        2,
        "",
    ),
    f(19, "Retention Indicator", "保存識別情報", "ID", 1, ""),
    f(
        20,
        "Expected Number of Insurance Plans",
        "予定保険プラン数",
        "NM",
        1,
        "",
    ),
    f(21, "Visit Publicity Code", "来院公開コード", "IS", 1, ""),
    f(
        22,
        "Visit Protection Indicator",
        "来院保護識別情報",
        "ID",
        1,
        "",
    ),
    f(23, "Clinic Organization Name", "診療組織名", "XON", 250, ""),
    f(24, "Patient Status Code", "患者状態コード", "IS", 2, ""),
    f(25, "Visit Priority Code", "来院優先コード", "IS", 1, ""),
    f(26, "Previous Treatment Date", "前回治療日", "DT", 8, ""),
    f(
        27,
        "Expected Discharge Disposition",
        "予定退院時転帰",
        "IS",
        2,
        "",
    ),
    f(28, "Signature on File Date", "署名記録日", "DT", 8, ""),
    f(
        29,
        "First Similar Illness Date",
        "初回類似疾患日",
        "DT",
        8,
        "",
    ),
    f(
        30,
        "Patient Charge Adjustment Code",
        "患者料金調整コード",
        "CWE",
        250,
        "",
    ),
    f(
        31,
        "Recurring Service Code",
        "反復サービスコード",
        "IS",
        2,
        "",
    ),
    f(32, "Billing Media Code", "請求媒体コード", "ID", 1, ""),
    f(
        33,
        "Expected Surgery Date and Time",
        "予定手術日時",
        "TS",
        26,
        "",
    ),
    f(34, "Military Partnership Code", "", "ID", 1, ""),
    f(35, "Military Non-Availability Code", "", "ID", 1, ""),
    f(36, "Newborn Baby Indicator", "新生児識別情報", "ID", 1, ""),
    f(
        37,
        "Baby Detained Indicator",
        "新生児在院識別情報",
        "ID",
        1,
        "",
    ),
    f(38, "Mode of Arrival Code", "来院方法コード", "CWE", 250, ""),
    f(
        39,
        "Recreational Drug Use Code",
        "薬物使用コード",
        "CWE",
        250,
        "",
    ),
    f(
        40,
        "Admission Level of Care Code",
        "入院時看護度コード",
        "CWE",
        250,
        "",
    ),
    f(41, "Precaution Code", "注意コード", "CWE", 250, ""),
    f(
        42,
        "Patient Condition Code",
        "患者容態コード",
        "CWE",
        250,
        "",
    ),
    f(43, "Living Will Code", "生前遺言コード", "IS", 2, ""),
    f(44, "Organ Donor Code", "臓器提供コード", "IS", 2, ""),
    f(
        45,
        "Advance Directive Code",
        "事前指示コード",
        "CWE",
        250,
        "",
    ),
    f(
        46,
        "Patient Status Effective Date",
        "患者状態発効日",
        "DT",
        8,
        "",
    ),
    f(
        47,
        "Expected LOA Return Date/Time",
        "予定帰院日時",
        "TS",
        26,
        "O",
    ),
    f(
        48,
        "Expected Pre-admission Testing Date/Time",
        "入院前検査予定日時",
        "TS",
        26,
        "",
    ),
    f(49, "Notify Clergy Code", "聖職者通知コード", "IS", 20, ""),
];

/// 役割 (Role).
const ROL: &[FieldInfo] = &[
    f(1, "Role Instance ID", "役割インスタンスID", "EI", 60, ""),
    f(2, "Action Code", "アクションコード", "ID", 2, ""),
    f(3, "Role-ROL", "役割", "CE", 250, ""),
    f(4, "Role Person", "役割担当者", "XCN", 250, ""),
    f(5, "Role Begin Date/Time", "役割開始日時", "TS", 26, ""),
    f(6, "Role End Date/Time", "役割終了日時", "TS", 26, ""),
    f(7, "Role Duration", "役割継続期間", "CE", 250, ""),
    f(8, "Role Action Reason", "役割アクション理由", "CE", 250, ""),
    f(9, "Provider Type", "提供者タイプ", "CE", 250, ""),
    f(
        10,
        "Organization Unit Type",
        "組織単位タイプ",
        "CE",
        250,
        "",
    ),
    f(
        11,
        "Office/Home Address/Birthplace",
        "事務所／自宅住所",
        "XAD",
        250,
        "",
    ),
    f(12, "Phone", "電話", "XTN", 250, ""),
];

/// 薬剤／処置の投薬 (Pharmacy/Treatment Administration).
const RXA: &[FieldInfo] = &[
    f(1, "Give Sub-ID Counter", "与薬副IDカウンタ", "NM", 4, "R"),
    f(
        2,
        "Administration Sub-ID Counter",
        "投薬副IDカウンタ",
        "NM",
        4,
        "R",
    ),
    f(
        3,
        "Date/Time Start of Administration",
        "投薬開始日時",
        "TS",
        26,
        "R",
    ),
    f(
        4,
        "Date/Time End of Administration",
        "投薬終了日時",
        "TS",
        26,
        "R",
    ),
    f(
        5,
        "Administered Code",
        "投薬コード（薬剤）",
        "CWE",
        250,
        "R",
    ),
    f(6, "Administered Amount", "投薬量", "NM", 20, "R"),
    f(7, "Administered Units", "投薬単位", "CWE", 250, "C"),
    f(8, "Administered Dosage Form", "投薬剤形", "CWE", 250, "O"),
    f(9, "Administration Notes", "投薬注記", "CWE", 250, "O"),
    f(10, "Administering Provider", "投薬者", "XCN", 250, "O"),
    f(11, "Administered-at Location", "投薬場所", "LA2", 200, "C"),
    f(
        12,
        "Administered Per (Time Unit)",
        "時間あたりの投薬",
        "ST",
        20,
        "C",
    ),
    f(13, "Administered Strength", "投薬力価", "NM", 20, "O"),
    f(
        14,
        "Administered Strength Units",
        "投薬力価単位",
        "CWE",
        250,
        "O",
    ),
    f(15, "Substance Lot Number", "薬剤ロット番号", "ST", 20, "O"),
    f(
        16,
        "Substance Expiration Date",
        "薬剤有効期限",
        "TS",
        26,
        "O",
    ),
    f(
        17,
        "Substance Manufacturer Name",
        "薬剤製造者名",
        "CWE",
        250,
        "O",
    ),
    f(
        18,
        "Substance/Treatment Refusal Reason",
        "薬剤／処置の拒否理由",
        "CWE",
        250,
        "O",
    ),
    f(19, "Indication", "適応", "CWE", 250, "O"),
    f(20, "Completion Status", "完了状態", "ID", 2, "O"),
    f(21, "Action Code - RXA", "アクションコード", "ID", 2, "O"),
    f(
        22,
        "System Entry Date/Time",
        "システム入力日時",
        "TS",
        26,
        "O",
    ),
    f(
        23,
        "Administered Drug Strength Volume",
        "投薬力価量",
        "NM",
        5,
        "O",
    ),
    f(
        24,
        "Administered Drug Strength Volume Units",
        "投薬力価量単位",
        "CWE",
        250,
        "O",
    ),
    f(
        25,
        "Administered Barcode Identifier",
        "投薬バーコード識別子",
        "CWE",
        60,
        "O",
    ),
    f(26, "Pharmacy Order Type", "薬剤オーダタイプ", "ID", 1, "O"),
];

/// 薬剤／処置成分オーダ (Pharmacy/Treatment Component Order).
const RXC: &[FieldInfo] = &[
    f(1, "RX Component Type", "薬剤成分タイプ", "ID", 1, "R"),
    f(2, "Component Code", "成分コード（薬剤）", "CWE", 250, "R"),
    f(3, "Component Amount", "成分量", "NM", 20, "R"),
    f(4, "Component Units", "成分単位", "CWE", 250, "R"),
    f(5, "Component Strength", "成分力価", "NM", 20, "O"),
    f(
        6,
        "Component Strength Units",
        "成分力価単位",
        "CWE",
        250,
        "O",
    ),
    f(7, "Supplementary Code", "補足コード", "CWE", 250, "O"),
    f(
        8,
        "Component Drug Strength Volume",
        "成分力価量",
        "NM",
        5,
        "O",
    ),
    f(
        9,
        "Component Drug Strength Volume Units",
        "成分力価量単位",
        "CWE",
        250,
        "O",
    ),
];

/// 薬剤／処置コード化オーダ (Pharmacy/Treatment Encoded Order).
const RXE: &[FieldInfo] = &[
    f(1, "Quantity/Timing", "数量／タイミング", "TQ", 200, ""),
    f(
        2,
        "Give Code",
        "与薬コード（薬剤）",
        "CWE",
        250,
        "R(orders)",
    ),
    f(
        3,
        "Give Amount - Minimum",
        "与薬量－最小（1回量）",
        "NM",
        20,
        "R(orders)",
    ),
    f(
        4,
        "Give Amount - Maximum",
        "与薬量－最大",
        "NM",
        20,
        "O{OMP-01,OMP-11}",
    ),
    f(5, "Give Units", "与薬単位", "CWE", 250, "R(orders)"),
    f(6, "Give Dosage Form", "与薬剤形", "CWE", 250, "O(orders)"),
    f(
        7,
        "Provider's Administration Instructions",
        "依頼者の投薬指示",
        "CWE",
        250,
        "O(orders)",
    ),
    f(8, "Deliver-To Location", "配送先", "LA1", 200, ""),
    f(9, "Substitution Status", "代替状態", "ID", 1, ""),
    f(
        10,
        "Dispense Amount",
        "調剤量（総量）",
        "NM",
        20,
        "R{OMP-01,OMP-11} O{OMP-02,OMP-12}",
    ),
    f(
        11,
        "Dispense Units",
        "調剤単位",
        "CWE",
        250,
        "R{OMP-01,OMP-11} O{OMP-02,OMP-12}",
    ),
    f(
        12,
        "Number Of Refills",
        "同一薬発行数（リフィル）",
        "NM",
        3,
        "",
    ),
    f(
        13,
        "Ordering Provider's DEA Number",
        "オーダ発行者のDEA番号（麻薬施用者番号）",
        "XCN",
        250,
        "O(orders)",
    ),
    f(
        14,
        "Pharmacist/Treatment Supplier's Verifier ID",
        "薬剤師／処置提供者の検証者ID",
        "XCN",
        250,
        "O(orders)",
    ),
    f(
        15,
        "Prescription Number",
        "処方箋番号",
        "ST",
        20,
        "O(orders)",
    ),
    f(
        16,
        "Number of Refills Remaining",
        "残補充回数",
        "NM",
        20,
        "O(orders)",
    ),
    f(
        17,
        "Number of Refills/Doses Dispensed",
        "調剤済みの補充／投与回数",
        "NM",
        20,
        "O(orders)",
    ),
    f(
        18,
        "D/T of Most Recent Refill or Dose Dispensed",
        "最近の補充／投薬の日時",
        "TS",
        26,
        "O(orders)",
    ),
    f(
        19,
        "Total Daily Dose",
        "1日あたりの総投与量",
        "CQ",
        10,
        "C{OMP-01,OMP-11} O{OMP-02,OMP-12}",
    ),
    f(
        20,
        "Needs Human Review",
        "人による確認の要否",
        "ID",
        1,
        "O{OMP-02,OMP-12}",
    ),
    f(
        21,
        "Pharmacy/Treatment Supplier's Special Dispensing Instructions",
        "薬剤部門／処置提供者の特別な調剤指示",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        22,
        "Give Per (Time Unit)",
        "時間あたりの与薬",
        "ST",
        20,
        "O(orders)",
    ),
    f(
        23,
        "Give Rate Amount",
        "与薬速度",
        "ST",
        6,
        "O{OMP-02,OMP-12}",
    ),
    f(
        24,
        "Give Rate Units",
        "与薬速度単位",
        "CWE",
        250,
        "O{OMP-02,OMP-12}",
    ),
    f(25, "Give Strength", "与薬力価", "NM", 20, "O(orders)"),
    f(
        26,
        "Give Strength Units",
        "与薬力価単位",
        "CWE",
        250,
        "O(orders)",
    ),
    f(27, "Give Indication", "与薬の適応", "CWE", 250, "O(orders)"),
    f(
        28,
        "Dispense Package Size",
        "調剤包装の大きさ",
        "NM",
        20,
        "O(orders)",
    ),
    f(
        29,
        "Dispense Package Size Unit",
        "調剤包装の大きさの単位",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        30,
        "Dispense Package Method",
        "調剤包装の方法",
        "ID",
        2,
        "O(orders)",
    ),
    f(31, "Supplementary Code", "補足コード", "CWE", 250, ""),
    f(
        32,
        "Original Order Date/Time",
        "最初のオーダ日時",
        "TS",
        26,
        "O(orders)",
    ),
    f(
        33,
        "Give Drug Strength Volume",
        "与薬力価量",
        "NM",
        5,
        "O(orders)",
    ),
    f(
        34,
        "Give Drug Strength Volume Units",
        "与薬力価量単位",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        35,
        "Controlled Substance Schedule",
        "規制薬剤区分",
        "CWE",
        60,
        "O(orders)",
    ),
    f(36, "Formulary Status", "処方集状態", "ID", 1, "O(orders)"),
    f(
        37,
        "Pharmaceutical Substance Alternative",
        "代替薬剤",
        "CWE",
        60,
        "O(orders)",
    ),
    f(
        38,
        "Pharmacy of Most Recent Fill",
        "最近の調剤薬局",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        39,
        "Initial Dispense Amount",
        "初回調剤量",
        "NM",
        250,
        "O(orders)",
    ),
    f(
        40,
        "Dispensing Pharmacy",
        "調剤薬局",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        41,
        "Dispensing Pharmacy Address",
        "調剤薬局住所",
        "XAD",
        250,
        "O(orders)",
    ),
    f(
        42,
        "Deliver-to Patient Location",
        "配送先患者所在場所",
        "PL",
        80,
        "O(orders)",
    ),
    f(
        43,
        "Deliver-to Address",
        "配送先住所",
        "XAD",
        250,
        "O(orders)",
    ),
    f(
        44,
        "Pharmacy Order Type",
        "薬剤オーダタイプ",
        "ID",
        1,
        "O(orders)",
    ),
];

/// 薬剤／処置オーダ (Pharmacy/Treatment Order).
const RXO: &[FieldInfo] = &[
    f(1, "Requested Give Code", "依頼与薬コード", "CE", 250, ""),
    f(
        2,
        "Requested Give Amount - Minimum",
        "依頼与薬量－最小",
        "NM",
        20,
        "",
    ),
    f(
        3,
        "Requested Give Amount - Maximum",
        "依頼与薬量－最大",
        "NM",
        20,
        "",
    ),
    f(4, "Requested Give Units", "依頼与薬単位", "CE", 250, ""),
    f(5, "Requested Dosage Form", "依頼剤形", "CE", 250, ""),
    f(
        6,
        "Provider's Pharmacy/Treatment Instructions",
        "依頼者の薬剤／処置指示",
        "CE",
        250,
        "",
    ),
    f(
        7,
        "Provider's Administration Instructions",
        "依頼者の投薬指示",
        "CE",
        250,
        "",
    ),
    f(8, "Deliver-To Location", "配送先", "LA1", 200, ""),
    f(9, "Allow Substitutions", "代替許可", "ID", 1, ""),
    f(
        10,
        "Requested Dispense Code",
        "依頼調剤コード",
        "CE",
        250,
        "",
    ),
    f(11, "Requested Dispense Amount", "依頼調剤量", "NM", 20, ""),
    f(
        12,
        "Requested Dispense Units",
        "依頼調剤単位",
        "CE",
        250,
        "",
    ),
    f(13, "Number Of Refills", "補充回数", "NM", 3, ""),
    f(
        14,
        "Ordering Provider's DEA Number",
        "オーダ発行者のDEA番号",
        "XCN",
        250,
        "",
    ),
    f(
        15,
        "Pharmacist/Treatment Supplier's Verifier ID",
        "薬剤師／処置提供者の検証者ID",
        "XCN",
        250,
        "",
    ),
    f(16, "Needs Human Review", "人による確認の要否", "ID", 1, ""),
    f(
        17,
        "Requested Give Per (Time Unit)",
        "依頼投与間隔（時間単位）",
        "ST",
        20,
        "",
    ),
    f(18, "Requested Give Strength", "依頼与薬含量", "NM", 20, ""),
    f(
        19,
        "Requested Give Strength Units",
        "依頼与薬含量単位",
        "CE",
        250,
        "",
    ),
    f(20, "Indication", "適応", "CE", 250, ""),
    f(
        21,
        "Requested Give Rate Amount",
        "依頼投与速度",
        "ST",
        6,
        "",
    ),
    f(
        22,
        "Requested Give Rate Units",
        "依頼投与速度単位",
        "CE",
        250,
        "",
    ),
    f(23, "Total Daily Dose", "1日あたりの総投与量", "CQ", 10, ""),
    f(24, "Supplementary Code", "補足コード", "CE", 250, ""),
    f(
        25,
        "Requested Drug Strength Volume",
        "依頼薬剤含量の容量",
        "NM",
        5,
        "",
    ),
    f(
        26,
        "Requested Drug Strength Volume Units",
        "依頼薬剤含量の容量単位",
        "CWE",
        250,
        "",
    ),
    f(27, "Pharmacy Order Type", "薬剤オーダタイプ", "ID", 1, ""),
    f(28, "Dispensing Interval", "調剤間隔", "NM", 20, ""),
];

/// 薬剤／処置の経路 (Pharmacy/Treatment Route).
const RXR: &[FieldInfo] = &[
    f(1, "Route", "経路", "CWE", 250, "R(orders)"),
    f(
        2,
        "Administration Site",
        "投薬部位",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        3,
        "Administration Device",
        "投薬装置",
        "CWE",
        250,
        "O(orders)",
    ),
    f(
        4,
        "Administration Method",
        "投薬方法",
        "CWE",
        250,
        "O(orders)",
    ),
    f(5, "Routing Instruction", "経路指示", "CWE", 250, ""),
    f(
        6,
        "Administration Site Modifier",
        "投薬部位修飾子",
        "CWE",
        250,
        "",
    ),
];

/// ソフトウェア (Software Segment).
const SFT: &[FieldInfo] = &[
    f(
        1,
        "Software Vendor Organization",
        "ソフトウェア供給組織",
        "XON",
        567,
        "",
    ),
    f(
        2,
        "Software Certified Version or Release Number",
        "ソフトウェアバージョン番号",
        "ST",
        15,
        "",
    ),
    f(
        3,
        "Software Product Name",
        "ソフトウェア製品名",
        "ST",
        20,
        "",
    ),
    f(
        4,
        "Software Binary ID",
        "ソフトウェアバイナリID",
        "ST",
        20,
        "",
    ),
    f(
        5,
        "Software Product Information",
        "ソフトウェア製品情報",
        "TX",
        1024,
        "",
    ),
    f(
        6,
        "Software Install Date",
        "ソフトウェア設置日",
        "TS",
        26,
        "",
    ),
];

/// 検体 (Specimen).
const SPM: &[FieldInfo] = &[
    f(1, "Set ID - SPM", "セットID－SPM", "SI", 4, "RE"),
    f(2, "Specimen ID", "検体ID", "EIP", 80, "RE"),
    f(3, "Specimen Parent IDs", "親検体ID", "EIP", 80, ""),
    f(4, "Specimen Type", "検体タイプ（材料）", "CWE", 250, "R"),
    f(
        5,
        "Specimen Type Modifier",
        "検体タイプ修飾子",
        "CWE",
        250,
        "",
    ),
    f(6, "Specimen Additives", "検体添加物", "CWE", 250, ""),
    f(
        7,
        "Specimen Collection Method",
        "検体採取法",
        "CWE",
        250,
        "",
    ),
    f(
        8,
        "Specimen Source Site",
        "検査材料・検査部位",
        "CWE",
        250,
        "RE",
    ),
    f(
        9,
        "Specimen Source Site Modifier",
        "検体採取部位修飾子",
        "CWE",
        250,
        "",
    ),
    f(
        10,
        "Specimen Collection Site",
        "検体採取場所",
        "CWE",
        250,
        "",
    ),
    f(11, "Specimen Role", "検体の役割", "CWE", 250, ""),
    f(12, "Specimen Collection Amount", "検体採取量", "CQ", 20, ""),
    f(13, "Grouped Specimen Count", "グループ検体数", "NM", 6, ""),
    f(14, "Specimen Description", "検体説明", "ST", 250, ""),
    f(
        15,
        "Specimen Handling Code",
        "検体取扱いコード",
        "CWE",
        250,
        "",
    ),
    f(16, "Specimen Risk Code", "検体危険コード", "CWE", 250, ""),
    f(
        17,
        "Specimen Collection Date/Time",
        "検体採取日時",
        "DR",
        26,
        "RE",
    ),
    f(
        18,
        "Specimen Received Date/Time",
        "検体受領日時",
        "TS",
        26,
        "",
    ),
    f(
        19,
        "Specimen Expiration Date/Time",
        "検体有効期限日時",
        "TS",
        26,
        "",
    ),
    f(20, "Specimen Availability", "検体の可用性", "ID", 1, ""),
    f(21, "Specimen Reject Reason", "検体拒否理由", "CWE", 250, ""),
    f(22, "Specimen Quality", "検体の質", "CWE", 250, ""),
    f(
        23,
        "Specimen Appropriateness",
        "検体の適切さ",
        "CWE",
        250,
        "",
    ),
    f(24, "Specimen Condition", "検体の状態", "CWE", 250, ""),
    f(25, "Specimen Current Quantity", "検体現在量", "CQ", 20, ""),
    f(
        26,
        "Number of Specimen Containers",
        "検体容器数",
        "NM",
        4,
        "",
    ),
    f(27, "Container Type", "容器タイプ", "CWE", 250, ""),
    f(28, "Container Condition", "容器の状態", "CWE", 250, ""),
    f(29, "Specimen Child Role", "子検体の役割", "CWE", 250, ""),
];

/// タイミング／数量 (Timing/Quantity).
const TQ1: &[FieldInfo] = &[
    f(
        1,
        "Set ID - TQ1",
        "セットID－TQ1",
        "SI",
        4,
        "O{OMD,OMP-01,OMP-11,OMP-02,OMP-12} R{OML-01,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        2,
        "Quantity",
        "数量",
        "CQ",
        20,
        "O{OMP-01,OMP-11,OMP-02,OMP-12,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        3,
        "Repeat Pattern",
        "繰返しパターン（用法）",
        "RPT",
        540,
        "O{OMD,OMP-01,OMP-11,OMG-02,OMG-12,OMG-03,OMG-13} C{OMP-02,OMP-12}",
    ),
    f(
        4,
        "Explicit Time",
        "明示的な時間",
        "TM",
        20,
        "O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        5,
        "Relative Time and Units",
        "相対時間／単位",
        "CQ",
        20,
        "O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        6,
        "Service Duration",
        "サービス期間（日数・回数）",
        "CQ",
        20,
        "O{OMP-01,OMP-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        7,
        "Start date/time",
        "開始日時",
        "TS",
        26,
        "O{OMD,OMP-01,OMP-11,OMP-02,OMP-12,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13} RE{OML-01}",
    ),
    f(
        8,
        "End date/time",
        "終了日時",
        "TS",
        26,
        "O{OMP-01,OMP-11,OMP-02,OMP-12,OML-01,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        9,
        "Priority",
        "優先度",
        "CWE",
        250,
        "O{OMD} RE{OML-01} R{OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        10,
        "Condition text",
        "条件テキスト",
        "TX",
        250,
        "O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        11,
        "Text instruction",
        "テキスト指令",
        "TX",
        250,
        "O{OMP-01,OMP-11,OML-01,OMG-01,OMG-11,OMG-02,OMG-12,OMG-03,OMG-13} C{OMP-02,OMP-12}",
    ),
    f(
        12,
        "Conjunction",
        "連結",
        "ID",
        10,
        "C{OMD,OMP-01,OMP-11,OML-01,OMG-01,OMG-11} O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        13,
        "Occurrence duration",
        "事象継続期間",
        "CQ",
        20,
        "O{OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
    f(
        14,
        "Total occurrence's",
        "事象総数",
        "NM",
        10,
        "O{OMP-02,OMP-12,OMG-02,OMG-12,OMG-03,OMG-13}",
    ),
];

/// タイミング／数量の関係 (Timing/Quantity Relationship).
const TQ2: &[FieldInfo] = &[
    f(1, "Set ID - TQ2", "セットID－TQ2", "SI", 4, ""),
    f(2, "Sequence/Results Flag", "順序／結果フラグ", "ID", 1, ""),
    f(3, "Related Placer Number", "関連依頼者番号", "EI", 22, ""),
    f(4, "Related Filler Number", "関連実施者番号", "EI", 22, ""),
    f(
        5,
        "Related Placer Group Number",
        "関連依頼者グループ番号",
        "EI",
        22,
        "",
    ),
    f(6, "Sequence Condition Code", "順序条件コード", "ID", 2, ""),
    f(
        7,
        "Cyclic Entry/Exit Indicator",
        "循環入口／出口指示",
        "ID",
        1,
        "",
    ),
    f(
        8,
        "Sequence Condition Time Interval",
        "順序条件時間間隔",
        "CQ",
        20,
        "",
    ),
    f(
        9,
        "Cyclic Group Maximum Number of Repeats",
        "循環グループ最大反復数",
        "NM",
        10,
        "",
    ),
    f(
        10,
        "Special Service Request Relationship",
        "特別サービス要求関係",
        "ID",
        1,
        "",
    ),
];

/// 実施情報 (Procedure Execution).
const ZE1: &[FieldInfo] = &[
    f(
        1,
        "Set ID - ZE1",
        "セットID－ZE1",
        "SI",
        4,
        "O{OMG-11} R{OMG-12}",
    ),
    f(
        2,
        "Control Code (planned / performed)",
        "制御コード（予定／実施）",
        "IS",
        20,
        "R(orders)",
    ),
    f(3, "Procedure", "手技", "CWE", 483, "R(orders)"),
    f(4, "Procedure Count", "手技回数", "NM", 16, "O(orders)"),
    f(5, "Billing Addition", "医事加算", "CWE", 483, "O{OMG-11}"),
    f(6, "Staff Class", "医療従事者種別", "JCC", 292, "C{OMG-11}"),
    f(7, "Staff", "医療従事者", "XCN", 3002, "O{OMG-11}"),
    f(8, "Article Class", "使用物品種別", "IS", 20, "C{OMG-11}"),
    f(9, "Article", "使用物品", "ZRD", 250, "O{OMG-11}"),
    f(10, "Contact", "連絡先", "XTN", 850, "O(orders)"),
    f(
        11,
        "Execution Field",
        "実施フィールド",
        "ST",
        199,
        "O(orders)",
    ),
    f(
        12,
        "Billing Field",
        "会計フィールド",
        "ST",
        199,
        "O(orders)",
    ),
];

/// 照射情報 (Exposure).
const ZE2: &[FieldInfo] = &[
    f(1, "Set ID", "セットID－ZE2", "SI", 4, "O"),
    f(2, "Tube Voltage", "管電圧", "CQ", 500, "O"),
    f(3, "Tube Current", "管電流", "CQ", 500, "O"),
    f(4, "Distance", "距離", "CQ", 500, "O"),
    f(5, "Time", "時間", "CQ", 500, "O"),
    f(6, "Number Of Exposure", "照射回数", "NM", 16, "O"),
    f(
        7,
        "Exposure Comment Field",
        "撮影フィールド",
        "ST",
        199,
        "O",
    ),
];

/// 歯式 (Dental Formula).
const ZPD: &[FieldInfo] = &[
    f(1, "Set ID", "セットID", "SI", 4, "O"),
    f(2, "Dental Formula Information", "歯式情報", "CWE", 250, "O"),
];

/// 病名詳細（日本拡張） (Problem Details - Japan).
const ZPR: &[FieldInfo] = &[
    f(
        1,
        "Modifier Code(Prefix)",
        "修飾語管理番号（接頭語）",
        "CWE",
        250,
        "O",
    ),
    f(2, "Disease Code", "病名管理番号", "CWE", 250, "R"),
    f(
        3,
        "Modifire Code(Suffix)",
        "修飾語管理番号（接尾語）",
        "CWE",
        250,
        "O",
    ),
    f(
        4,
        "Modifier Code for Exchange(Prefix)",
        "修飾語交換用コード（接頭語）",
        "CWE",
        250,
        "O",
    ),
    f(
        5,
        "Disease Code for Exchange",
        "病名交換用コード",
        "CWE",
        250,
        "O",
    ),
    f(
        6,
        "Modifier Code for Exchange(Suffix)",
        "修飾語交換用コード（接尾語）",
        "CWE",
        250,
        "O",
    ),
    f(7, "Comment", "コメント", "ST", 199, "O"),
];

/// Every segment. Sorted by id.
static SEGMENTS: &[SegmentInfo] = &[
    s("ACC", "Accident", "事故", NONE),
    s(
        "AL1",
        "Patient Allergy Information",
        "アレルギー情報",
        fields!(AL1),
    ),
    s("BHS", "Batch Header", "バッチヘッダ", NONE),
    s("BLG", "Billing", "請求", NONE),
    s("BTS", "Batch Trailer", "バッチトレーラ", NONE),
    s("CTD", "Contact Data", "連絡先データ", NONE),
    s(
        "CTI",
        "Clinical Trial Identification",
        "治験識別情報",
        fields!(CTI),
    ),
    s("DB1", "Disability", "障害情報", fields!(DB1)),
    s("DG1", "Diagnosis", "診断", fields!(DG1)),
    s("DRG", "Diagnosis Related Group", "診断関連群", NONE),
    s("DSC", "Continuation Pointer", "継続ポインタ", fields!(DSC)),
    s("EVN", "Event Type", "イベントタイプ", fields!(EVN)),
    s("FHS", "File Header", "ファイルヘッダ", NONE),
    s("FT1", "Financial Transaction", "会計処理", NONE),
    s("FTS", "File Trailer", "ファイルトレーラ", NONE),
    s("GOL", "Goal Detail", "目標詳細", NONE),
    s("GT1", "Guarantor", "保証人", NONE),
    s(
        "IAM",
        "Patient Adverse Reaction Information",
        "患者アレルギー・有害反応情報",
        fields!(IAM),
    ),
    s("IN1", "Insurance", "保険情報", fields!(IN1)),
    s(
        "IN2",
        "Insurance Additional Information",
        "保険追加情報",
        NONE,
    ),
    s(
        "IN3",
        "Insurance Additional Information, Certification",
        "保険追加情報－証明",
        NONE,
    ),
    s("INV", "Inventory Detail", "在庫詳細", NONE),
    s(
        "IPC",
        "Imaging Procedure Control Segment",
        "画像検査手続き制御",
        fields!(IPC),
    ),
    s(
        "MRG",
        "Merge Patient Information",
        "患者併合情報",
        fields!(MRG),
    ),
    s(
        "MSA",
        "Message Acknowledgment",
        "メッセージ応答",
        fields!(MSA),
    ),
    s("MSH", "Message Header", "メッセージヘッダ", fields!(MSH)),
    s(
        "NK1",
        "Next of Kin / Associated Parties",
        "近親者・関係者",
        fields!(NK1),
    ),
    s("NTE", "Notes and Comments", "注釈・コメント", fields!(NTE)),
    s("OBR", "Observation Request", "検査依頼", fields!(OBR)),
    s("OBX", "Observation/Result", "検査結果", fields!(OBX)),
    s(
        "ODS",
        "Dietary Orders, Supplements, and Preferences",
        "食事オーダ",
        fields!(ODS),
    ),
    s("ODT", "Diet Tray Instructions", "配膳指示", fields!(ODT)),
    s("ORC", "Common Order", "共通オーダ", fields!(ORC)),
    s(
        "PD1",
        "Patient Additional Demographic",
        "患者追加属性",
        fields!(PD1),
    ),
    s("PDA", "Patient Death and Autopsy", "患者死亡・剖検", NONE),
    s("PID", "Patient Identification", "患者識別", fields!(PID)),
    s("PR1", "Procedures", "処置", NONE),
    s("PRB", "Problem Details", "プロブレム詳細", fields!(PRB)),
    s("PTH", "Pathway", "パスウェイ", NONE),
    s("PV1", "Patient Visit", "来院情報", fields!(PV1)),
    s(
        "PV2",
        "Patient Visit - Additional Information",
        "来院情報－追加",
        fields!(PV2),
    ),
    s("ROL", "Role", "役割", fields!(ROL)),
    s(
        "RXA",
        "Pharmacy/Treatment Administration",
        "薬剤／処置の投薬",
        fields!(RXA),
    ),
    s(
        "RXC",
        "Pharmacy/Treatment Component Order",
        "薬剤／処置成分オーダ",
        fields!(RXC),
    ),
    s(
        "RXE",
        "Pharmacy/Treatment Encoded Order",
        "薬剤／処置コード化オーダ",
        fields!(RXE),
    ),
    s(
        "RXO",
        "Pharmacy/Treatment Order",
        "薬剤／処置オーダ",
        fields!(RXO),
    ),
    s(
        "RXR",
        "Pharmacy/Treatment Route",
        "薬剤／処置の経路",
        fields!(RXR),
    ),
    s("SAC", "Specimen Container Detail", "検体容器詳細", NONE),
    s("SFT", "Software Segment", "ソフトウェア", fields!(SFT)),
    s("SID", "Substance Identifier", "物質識別子", NONE),
    s("SPM", "Specimen", "検体", fields!(SPM)),
    s("TCD", "Test Code Detail", "検査コード詳細", NONE),
    s("TQ1", "Timing/Quantity", "タイミング／数量", fields!(TQ1)),
    s(
        "TQ2",
        "Timing/Quantity Relationship",
        "タイミング／数量の関係",
        fields!(TQ2),
    ),
    s("UB1", "UB82", "UB82 データ", NONE),
    s("UB2", "UB92 Data", "UB92 データ", NONE),
    s("VAR", "Variance", "バリアンス", NONE),
    s("ZE1", "Procedure Execution", "実施情報", fields!(ZE1)),
    s("ZE2", "Exposure", "照射情報", fields!(ZE2)),
    s(
        "ZI1",
        "Insurance of a Problem",
        "病名の保険情報",
        fields!(IN1),
    ),
    s("ZPD", "Dental Formula", "歯式", fields!(ZPD)),
    s(
        "ZPR",
        "Problem Details - Japan",
        "病名詳細（日本拡張）",
        fields!(ZPR),
    ),
];

/// 住所 (Address).
const DT_AD: &[ComponentInfo] = &[
    c(1, "Street Address", "町名番地", "ST"),
    c(2, "Other Designation", "その他の表示", "ST"),
    c(3, "City", "市区町村", "ST"),
    c(4, "State or Province", "都道府県", "ST"),
    c(5, "Zip or Postal Code", "郵便番号", "ST"),
    c(6, "Country", "国", "ID"),
    c(7, "Address Type", "住所タイプ", "ID"),
    c(
        8,
        "Other Geographic Designation",
        "その他の地理表示（住所全体）",
        "ST",
    ),
];

/// 認定情報 (Authorization Information).
const DT_AUI: &[ComponentInfo] = &[
    c(1, "Authorization Number", "認定番号", "ST"),
    c(2, "Date", "日付", "DT"),
    c(3, "Source", "出所", "ST"),
];

/// コード化要素 (Coded Element).
const DT_CE: &[ComponentInfo] = &[
    c(1, "Identifier", "識別子（コード）", "ST"),
    c(2, "Text", "テキスト（名称）", "ST"),
    c(3, "Name of Coding System", "コード体系名", "ID"),
    c(
        4,
        "Alternate Identifier",
        "代替識別子（ローカルコード）",
        "ST",
    ),
    c(5, "Alternate Text", "代替テキスト（ローカル名称）", "ST"),
    c(
        6,
        "Name of Alternate Coding System",
        "代替コード体系名",
        "ID",
    ),
];

/// 例外なしのコード化値 (Coded with No Exceptions).
const DT_CNE: &[ComponentInfo] = &[
    c(1, "Identifier", "識別子（コード）", "ST"),
    c(2, "Text", "テキスト（名称）", "ST"),
    c(3, "Name of Coding System", "コード体系名", "ID"),
    c(
        4,
        "Alternate Identifier",
        "代替識別子（ローカルコード）",
        "ST",
    ),
    c(5, "Alternate Text", "代替テキスト（ローカル名称）", "ST"),
    c(
        6,
        "Name of Alternate Coding System",
        "代替コード体系名",
        "ID",
    ),
    c(
        7,
        "Coding System Version ID",
        "コード体系バージョンID",
        "ST",
    ),
    c(
        8,
        "Alternate Coding System Version ID",
        "代替コード体系バージョンID",
        "ST",
    ),
    c(9, "Original Text", "元のテキスト", "ST"),
];

/// 簡略化した複合ID番号と名前 (Composite ID Number and Name Simplified).
const DT_CNN: &[ComponentInfo] = &[
    c(1, "ID Number", "ID番号", "ST"),
    c(2, "Family Name", "姓", "ST"),
    c(3, "Given Name", "名", "ST"),
    c(
        4,
        "Second and Further Given Names or Initials Thereof",
        "ミドルネーム",
        "ST",
    ),
    c(5, "Suffix", "接尾語", "ST"),
    c(6, "Prefix", "接頭語", "ST"),
    c(7, "Degree", "学位", "IS"),
    c(8, "Source Table", "出典表", "IS"),
    c(
        9,
        "Assigning Authority - Namespace ID",
        "付与権限者－名前空間ID",
        "IS",
    ),
    c(
        10,
        "Assigning Authority - Universal ID",
        "付与権限者－汎用ID",
        "ST",
    ),
    c(
        11,
        "Assigning Authority - Universal ID Type",
        "付与権限者－汎用IDタイプ",
        "ID",
    ),
];

/// 複合価格 (Composite Price).
const DT_CP: &[ComponentInfo] = &[
    c(1, "Price", "価格", "MO"),
    c(2, "Price Type", "価格タイプ", "ID"),
    c(3, "From Value", "下限値", "NM"),
    c(4, "To Value", "上限値", "NM"),
    c(5, "Range Units", "範囲の単位", "CWE"),
    c(6, "Range Type", "範囲タイプ", "ID"),
];

/// 単位付き複合数量 (Composite Quantity with Units).
const DT_CQ: &[ComponentInfo] = &[c(1, "Quantity", "量", "NM"), c(2, "Units", "単位", "CWE")];

/// 例外を含むコード化値 (Coded with Exceptions).
const DT_CWE: &[ComponentInfo] = &[
    c(1, "Identifier", "識別子（コード）", "ST"),
    c(2, "Text", "テキスト（名称）", "ST"),
    c(3, "Name of Coding System", "コード体系名", "ID"),
    c(
        4,
        "Alternate Identifier",
        "代替識別子（ローカルコード）",
        "ST",
    ),
    c(5, "Alternate Text", "代替テキスト（ローカル名称）", "ST"),
    c(
        6,
        "Name of Alternate Coding System",
        "代替コード体系名",
        "ID",
    ),
    c(
        7,
        "Coding System Version ID",
        "コード体系バージョンID",
        "ST",
    ),
    c(
        8,
        "Alternate Coding System Version ID",
        "代替コード体系バージョンID",
        "ST",
    ),
    c(9, "Original Text", "元のテキスト", "ST"),
];

/// チェックデジット付き拡張複合ID (Extended Composite ID with Check Digit).
const DT_CX: &[ComponentInfo] = &[
    c(1, "ID Number", "ID番号", "ST"),
    c(2, "Check Digit", "チェックデジット", "ST"),
    c(3, "Check Digit Scheme", "チェックデジット方式", "ID"),
    c(4, "Assigning Authority", "付与権限者", "HD"),
    c(5, "Identifier Type Code", "識別子タイプコード", "ID"),
    c(6, "Assigning Facility", "付与施設", "HD"),
    c(7, "Effective Date", "有効開始日", "DT"),
    c(8, "Expiration Date", "有効期限", "DT"),
    c(9, "Assigning Jurisdiction", "付与管轄", "CWE"),
    c(
        10,
        "Assigning Agency or Department",
        "付与機関または部門",
        "CWE",
    ),
];

/// 退院先と日付 (Discharge to Location and Date).
const DT_DLD: &[ComponentInfo] = &[
    c(1, "Discharge Location", "退院先", "IS"),
    c(2, "Effective Date", "有効開始日", "TS"),
];

/// 運転免許証番号 (Driver's License Number).
const DT_DLN: &[ComponentInfo] = &[
    c(1, "License Number", "免許番号", "ST"),
    c(2, "Issuing State, Province, Country", "発行地", "IS"),
    c(3, "Expiration Date", "有効期限", "DT"),
];

/// 日時範囲 (Date/Time Range).
const DT_DR: &[ComponentInfo] = &[
    c(1, "Range Start Date/Time", "範囲開始日時", "TS"),
    c(2, "Range End Date/Time", "範囲終了日時", "TS"),
];

/// カプセル化データ (Encapsulated Data).
const DT_ED: &[ComponentInfo] = &[
    c(1, "Source Application", "発生元アプリケーション", "HD"),
    c(2, "Type of Data", "データのタイプ", "ID"),
    c(3, "Data Subtype", "データのサブタイプ", "ID"),
    c(4, "Encoding", "符号化方式", "ID"),
    c(5, "Data", "データ", "TX"),
];

/// 実体識別子 (Entity Identifier).
const DT_EI: &[ComponentInfo] = &[
    c(1, "Entity Identifier", "実体識別子", "ST"),
    c(2, "Namespace ID", "名前空間ID", "IS"),
    c(3, "Universal ID", "汎用ID", "ST"),
    c(4, "Universal ID Type", "汎用IDタイプ", "ID"),
];

/// 実体識別子の対 (Entity Identifier Pair).
const DT_EIP: &[ComponentInfo] = &[
    c(1, "Placer Assigned Identifier", "依頼者付与識別子", "EI"),
    c(2, "Filler Assigned Identifier", "実施者付与識別子", "EI"),
];

/// 会計分類 (Financial Class).
const DT_FC: &[ComponentInfo] = &[
    c(1, "Financial Class Code", "会計分類コード", "IS"),
    c(2, "Effective Date", "有効開始日", "TS"),
];

/// 姓 (Family Name).
const DT_FN: &[ComponentInfo] = &[
    c(1, "Surname", "姓", "ST"),
    c(2, "Own Surname Prefix", "本人の姓の接頭語", "ST"),
    c(3, "Own Surname", "本人の姓", "ST"),
    c(
        4,
        "Surname Prefix From Partner/Spouse",
        "配偶者の姓の接頭語",
        "ST",
    ),
    c(5, "Surname From Partner/Spouse", "配偶者の姓", "ST"),
];

/// 階層指定子 (Hierarchic Designator).
const DT_HD: &[ComponentInfo] = &[
    c(1, "Namespace ID", "名前空間ID", "IS"),
    c(2, "Universal ID", "汎用ID", "ST"),
    c(3, "Universal ID Type", "汎用IDタイプ", "ID"),
];

/// 職種・職位 (Job Code/Class).
const DT_JCC: &[ComponentInfo] = &[
    c(1, "Job Code", "職種コード", "IS"),
    c(2, "Job Class", "職位", "IS"),
    c(3, "Job Description Text", "職務記述", "TX"),
];

/// 住所付き所在場所（型1） (Location with Address Variation 1).
const DT_LA1: &[ComponentInfo] = &[
    c(1, "Point of Care", "ケアの場所（病棟・診療科）", "IS"),
    c(2, "Room", "病室", "IS"),
    c(3, "Bed", "ベッド", "IS"),
    c(4, "Facility", "施設", "HD"),
    c(5, "Location Status", "所在場所の状態", "IS"),
    c(6, "Patient Location Type", "患者所在場所タイプ", "IS"),
    c(7, "Building", "建物", "IS"),
    c(8, "Floor", "階", "IS"),
    c(9, "Address", "住所", "AD"),
];

/// 住所付き所在場所（型2） (Location with Address Variation 2).
const DT_LA2: &[ComponentInfo] = &[
    c(1, "Point of Care", "ケアの場所（病棟・診療科）", "IS"),
    c(2, "Room", "病室", "IS"),
    c(3, "Bed", "ベッド", "IS"),
    c(4, "Facility", "施設", "HD"),
    c(5, "Location Status", "所在場所の状態", "IS"),
    c(6, "Patient Location Type", "患者所在場所タイプ", "IS"),
    c(7, "Building", "建物", "IS"),
    c(8, "Floor", "階", "IS"),
    c(9, "Street Address", "町名番地", "ST"),
    c(10, "Other Designation", "その他の表示", "ST"),
    c(11, "City", "市区町村", "ST"),
    c(12, "State or Province", "都道府県", "ST"),
    c(13, "Zip or Postal Code", "郵便番号", "ST"),
    c(14, "Country", "国", "ID"),
    c(15, "Address Type", "住所タイプ", "ID"),
    c(
        16,
        "Other Geographic Designation",
        "その他の地理表示（住所全体）",
        "ST",
    ),
];

/// 通貨 (Money).
const DT_MO: &[ComponentInfo] = &[
    c(1, "Quantity", "量", "NM"),
    c(2, "Denomination", "通貨単位", "ID"),
];

/// 通貨と料金コード (Money and Code).
const DT_MOC: &[ComponentInfo] = &[
    c(1, "Monetary Amount", "金額", "MO"),
    c(2, "Charge Code", "料金コード", "CWE"),
];

/// メッセージ型 (Message Type).
const DT_MSG: &[ComponentInfo] = &[
    c(1, "Message Code", "メッセージコード", "ID"),
    c(2, "Trigger Event", "トリガーイベント", "ID"),
    c(3, "Message Structure", "メッセージ構造", "ID"),
];

/// 日時・所在場所付きの名前 (Name with Date and Location).
const DT_NDL: &[ComponentInfo] = &[
    c(1, "Name", "氏名", "CNN"),
    c(2, "Start Date/Time", "開始日時", "TS"),
    c(3, "End Date/Time", "終了日時", "TS"),
    c(4, "Point of Care", "ケアの場所（病棟・診療科）", "IS"),
    c(5, "Room", "病室", "IS"),
    c(6, "Bed", "ベッド", "IS"),
    c(7, "Facility", "施設", "HD"),
    c(8, "Location Status", "所在場所の状態", "IS"),
    c(9, "Patient Location Type", "患者所在場所タイプ", "IS"),
    c(10, "Building", "建物", "IS"),
    c(11, "Floor", "階", "IS"),
];

/// オーダ順序定義 (Order Sequence Definition).
const DT_OSD: &[ComponentInfo] = &[
    c(1, "Sequence/Results Flag", "順序／結果フラグ", "ID"),
    c(
        2,
        "Placer Order Number: Entity Identifier",
        "依頼者オーダ番号：実体識別子",
        "ST",
    ),
    c(
        3,
        "Placer Order Number: Namespace ID",
        "依頼者オーダ番号：名前空間ID",
        "IS",
    ),
    c(
        4,
        "Filler Order Number: Entity Identifier",
        "実施者オーダ番号：実体識別子",
        "ST",
    ),
    c(
        5,
        "Filler Order Number: Namespace ID",
        "実施者オーダ番号：名前空間ID",
        "IS",
    ),
    c(6, "Sequence Condition Value", "順序条件値", "ST"),
    c(7, "Maximum Number of Repeats", "最大反復数", "NM"),
    c(
        8,
        "Placer Order Number: Universal ID",
        "依頼者オーダ番号：汎用ID",
        "ST",
    ),
    c(
        9,
        "Placer Order Number: Universal ID Type",
        "依頼者オーダ番号：汎用IDタイプ",
        "ID",
    ),
    c(
        10,
        "Filler Order Number: Universal ID",
        "実施者オーダ番号：汎用ID",
        "ST",
    ),
    c(
        11,
        "Filler Order Number: Universal ID Type",
        "実施者オーダ番号：汎用IDタイプ",
        "ID",
    ),
];

/// 人の所在場所 (Person Location).
const DT_PL: &[ComponentInfo] = &[
    c(1, "Point of Care", "ケアの場所（病棟・診療科）", "IS"),
    c(2, "Room", "病室", "IS"),
    c(3, "Bed", "ベッド", "IS"),
    c(4, "Facility", "施設", "HD"),
    c(5, "Location Status", "所在場所の状態", "IS"),
    c(6, "Person Location Type", "所在場所タイプ", "IS"),
    c(7, "Building", "建物", "IS"),
    c(8, "Floor", "階", "IS"),
    c(9, "Location Description", "所在場所の説明", "ST"),
    c(
        10,
        "Comprehensive Location Identifier",
        "総合所在場所識別子",
        "EI",
    ),
    c(
        11,
        "Assigning Authority for Location",
        "所在場所の付与権限者",
        "HD",
    ),
];

/// 親結果リンク (Parent Result Link).
const DT_PRL: &[ComponentInfo] = &[
    c(1, "Parent Observation Identifier", "親検査項目", "CWE"),
    c(2, "Parent Observation Sub-identifier", "親検査副ID", "ST"),
    c(
        3,
        "Parent Observation Value Descriptor",
        "親検査値の記述",
        "TX",
    ),
];

/// 処理型 (Processing Type).
const DT_PT: &[ComponentInfo] = &[
    c(1, "Processing ID", "処理ID", "ID"),
    c(2, "Processing Mode", "処理モード", "ID"),
];

/// 反復間隔 (Repeat Interval).
const DT_RI: &[ComponentInfo] = &[
    c(1, "Repeat Pattern", "繰返しパターン", "IS"),
    c(2, "Explicit Time Interval", "明示的時刻間隔", "ST"),
];

/// 参照ポインタ (Reference Pointer).
const DT_RP: &[ComponentInfo] = &[
    c(1, "Pointer", "ポインタ", "ST"),
    c(2, "Application ID", "アプリケーションID", "HD"),
    c(3, "Type of Data", "データのタイプ", "ID"),
    c(4, "Data Subtype", "データのサブタイプ", "ID"),
];

/// 繰返しパターン (Repeat Pattern).
const DT_RPT: &[ComponentInfo] = &[
    c(
        1,
        "Repeat Pattern Code",
        "繰返しパターンコード（用法）",
        "CWE",
    ),
    c(2, "Calendar Alignment", "暦との整合", "ID"),
    c(3, "Phase Range Begin Value", "位相の開始値", "NM"),
    c(4, "Phase Range End Value", "位相の終了値", "NM"),
    c(5, "Period Quantity", "周期の量", "NM"),
    c(6, "Period Units", "周期の単位", "IS"),
    c(7, "Institution Specified Time", "施設指定時刻", "ID"),
    c(8, "Event", "事象", "ID"),
    c(9, "Event Offset Quantity", "事象からの時間差の量", "NM"),
    c(10, "Event Offset Units", "事象からの時間差の単位", "IS"),
    c(
        11,
        "General Timing Specification",
        "一般タイミング指定",
        "GTS",
    ),
];

/// 町名番地 (Street Address).
const DT_SAD: &[ComponentInfo] = &[
    c(1, "Street or Mailing Address", "町名番地または郵送先", "ST"),
    c(2, "Street Name", "通り名", "ST"),
    c(3, "Dwelling Number", "番地", "ST"),
];

/// 構造化数値 (Structured Numeric).
const DT_SN: &[ComponentInfo] = &[
    c(1, "Comparator", "比較記号", "ST"),
    c(2, "Num1", "数値1", "NM"),
    c(3, "Separator/Suffix", "区切り／接尾語", "ST"),
    c(4, "Num2", "数値2", "NM"),
];

/// 検体採取元 (Specimen Source).
const DT_SPS: &[ComponentInfo] = &[
    c(
        1,
        "Specimen Source Name or Code",
        "検体採取元の名称またはコード",
        "CWE",
    ),
    c(2, "Additives", "添加物", "CWE"),
    c(3, "Specimen Collection Method", "検体採取方法", "TX"),
    c(4, "Body Site", "身体部位", "CWE"),
    c(5, "Site Modifier", "部位修飾子", "CWE"),
    c(
        6,
        "Collection Method Modifier Code",
        "採取方法修飾コード",
        "CWE",
    ),
    c(7, "Specimen Role", "検体の役割", "CWE"),
];

/// タイミング数量 (Timing Quantity).
const DT_TQ: &[ComponentInfo] = &[
    c(1, "Quantity", "量", "CQ"),
    c(2, "Interval", "間隔", "RI"),
    c(3, "Duration", "継続期間", "ST"),
    c(4, "Start Date/Time", "開始日時", "TS"),
    c(5, "End Date/Time", "終了日時", "TS"),
    c(6, "Priority", "優先度", "ST"),
    c(7, "Condition", "条件", "ST"),
    c(8, "Text", "テキスト（名称）", "TX"),
    c(9, "Conjunction", "連結", "ID"),
    c(10, "Order Sequencing", "オーダの順序", "OSD"),
    c(11, "Occurrence Duration", "事象継続期間", "CE"),
    c(12, "Total Occurrences", "事象総数", "NM"),
];

/// タイムスタンプ（日時） (Time Stamp).
const DT_TS: &[ComponentInfo] = &[
    c(1, "Time", "時刻", "DTM"),
    c(2, "Degree of Precision", "精度", "ID"),
];

/// バージョン識別子 (Version Identifier).
const DT_VID: &[ComponentInfo] = &[
    c(1, "Version ID", "バージョンID", "ID"),
    c(2, "Internationalization Code", "国際化コード", "CWE"),
    c(3, "International Version ID", "国際バージョンID", "CWE"),
];

/// 拡張住所 (Extended Address).
const DT_XAD: &[ComponentInfo] = &[
    c(1, "Street Address", "町名番地", "SAD"),
    c(2, "Other Designation", "その他の表示", "ST"),
    c(3, "City", "市区町村", "ST"),
    c(4, "State or Province", "都道府県", "ST"),
    c(5, "Zip or Postal Code", "郵便番号", "ST"),
    c(6, "Country", "国", "ID"),
    c(7, "Address Type", "住所タイプ", "ID"),
    c(
        8,
        "Other Geographic Designation",
        "その他の地理表示（住所全体）",
        "ST",
    ),
    c(9, "County/Parish Code", "郡／教区コード", "IS"),
    c(10, "Census Tract", "国勢調査区", "IS"),
    c(11, "Address Representation Code", "住所表記コード", "ID"),
    c(12, "Address Validity Range", "住所有効期間", "DR"),
    c(13, "Effective Date", "有効開始日", "TS"),
    c(14, "Expiration Date", "有効期限", "TS"),
];

/// 人の拡張複合ID番号と名前 (Extended Composite ID Number and Name for Persons).
const DT_XCN: &[ComponentInfo] = &[
    c(1, "ID Number", "ID番号", "ST"),
    c(2, "Family Name", "姓", "FN"),
    c(3, "Given Name", "名", "ST"),
    c(
        4,
        "Second and Further Given Names or Initials Thereof",
        "ミドルネーム",
        "ST",
    ),
    c(5, "Suffix", "接尾語", "ST"),
    c(6, "Prefix", "接頭語", "ST"),
    c(7, "Degree", "学位", "IS"),
    c(8, "Source Table", "出典表", "IS"),
    c(9, "Assigning Authority", "付与権限者", "HD"),
    c(10, "Name Type Code", "名前タイプコード", "ID"),
    c(11, "Identifier Check Digit", "識別子チェックデジット", "ST"),
    c(12, "Check Digit Scheme", "チェックデジット方式", "ID"),
    c(13, "Identifier Type Code", "識別子タイプコード", "ID"),
    c(14, "Assigning Facility", "付与施設", "HD"),
    c(15, "Name Representation Code", "名前表記コード", "ID"),
    c(16, "Name Context", "名前の使われ方", "CWE"),
    c(17, "Name Validity Range", "名前の有効期間", "DR"),
    c(18, "Name Assembly Order", "名前の並び順", "ID"),
    c(19, "Effective Date", "有効開始日", "TS"),
    c(20, "Expiration Date", "有効期限", "TS"),
    c(21, "Professional Suffix", "専門職の接尾語", "ST"),
    c(22, "Assigning Jurisdiction", "付与管轄", "CWE"),
    c(
        23,
        "Assigning Agency or Department",
        "付与機関または部門",
        "CWE",
    ),
];

/// 組織の拡張複合名とID番号 (Extended Composite Name and ID Number for Organizations).
const DT_XON: &[ComponentInfo] = &[
    c(1, "Organization Name", "組織名", "ST"),
    c(2, "Organization Name Type Code", "組織名タイプコード", "IS"),
    c(3, "ID Number", "ID番号", "NM"),
    c(4, "Check Digit", "チェックデジット", "NM"),
    c(5, "Check Digit Scheme", "チェックデジット方式", "ID"),
    c(6, "Assigning Authority", "付与権限者", "HD"),
    c(7, "Identifier Type Code", "識別子タイプコード", "ID"),
    c(8, "Assigning Facility", "付与施設", "HD"),
    c(9, "Name Representation Code", "名前表記コード", "ID"),
    c(10, "Organization Identifier", "組織識別子", "ST"),
];

/// 拡張人名 (Extended Person Name).
const DT_XPN: &[ComponentInfo] = &[
    c(1, "Family Name", "姓", "FN"),
    c(2, "Given Name", "名", "ST"),
    c(
        3,
        "Second and Further Given Names or Initials Thereof",
        "ミドルネーム",
        "ST",
    ),
    c(4, "Suffix", "接尾語", "ST"),
    c(5, "Prefix", "接頭語", "ST"),
    c(6, "Degree", "学位", "IS"),
    c(7, "Name Type Code", "名前タイプコード", "ID"),
    c(8, "Name Representation Code", "名前表記コード", "ID"),
    c(9, "Name Context", "名前の使われ方", "CWE"),
    c(10, "Name Validity Range", "名前の有効期間", "DR"),
    c(11, "Name Assembly Order", "名前の並び順", "ID"),
    c(12, "Effective Date", "有効開始日", "TS"),
    c(13, "Expiration Date", "有効期限", "TS"),
    c(14, "Professional Suffix", "専門職の接尾語", "ST"),
];

/// 拡張電話番号 (Extended Telecommunication Number).
const DT_XTN: &[ComponentInfo] = &[
    c(1, "Telephone Number", "電話番号", "ST"),
    c(2, "Telecommunication Use Code", "通信用途コード", "ID"),
    c(
        3,
        "Telecommunication Equipment Type",
        "通信装置タイプ",
        "ID",
    ),
    c(4, "Email Address", "電子メールアドレス", "ST"),
    c(5, "Country Code", "国番号", "NM"),
    c(6, "Area/City Code", "市外局番", "NM"),
    c(7, "Local Number", "市内局番", "NM"),
    c(8, "Extension", "内線番号", "NM"),
    c(9, "Any Text", "任意のテキスト", "ST"),
    c(10, "Extension Prefix", "内線番号の接頭語", "ST"),
    c(11, "Speed Dial Code", "短縮番号", "ST"),
    c(
        12,
        "Unformatted Telephone number",
        "書式なしの電話番号",
        "ST",
    ),
];

/// 使用物品 (Used Article).
const DT_ZRD: &[ComponentInfo] = &[
    c(1, "Identifier", "識別子（コード）", "ST"),
    c(2, "Text", "テキスト（名称）", "ST"),
    c(3, "Name Of Encoding System", "コード体系名", "IS"),
    c(4, "Quantity", "量", "NM"),
    c(5, "Unit", "単位", "CWE"),
    c(6, "Film Partition Number", "フィルム分割数", "NM"),
];

/// Every data type. Sorted by id.
static DATATYPES: &[DatatypeInfo] = &[
    d("AD", "Address", "住所", components!(DT_AD)),
    d(
        "AUI",
        "Authorization Information",
        "認定情報",
        components!(DT_AUI),
    ),
    d("CE", "Coded Element", "コード化要素", components!(DT_CE)),
    d(
        "CNE",
        "Coded with No Exceptions",
        "例外なしのコード化値",
        components!(DT_CNE),
    ),
    d(
        "CNN",
        "Composite ID Number and Name Simplified",
        "簡略化した複合ID番号と名前",
        components!(DT_CNN),
    ),
    d("CP", "Composite Price", "複合価格", components!(DT_CP)),
    d(
        "CQ",
        "Composite Quantity with Units",
        "単位付き複合数量",
        components!(DT_CQ),
    ),
    d(
        "CWE",
        "Coded with Exceptions",
        "例外を含むコード化値",
        components!(DT_CWE),
    ),
    d(
        "CX",
        "Extended Composite ID with Check Digit",
        "チェックデジット付き拡張複合ID",
        components!(DT_CX),
    ),
    d(
        "DLD",
        "Discharge to Location and Date",
        "退院先と日付",
        components!(DT_DLD),
    ),
    d(
        "DLN",
        "Driver's License Number",
        "運転免許証番号",
        components!(DT_DLN),
    ),
    d("DR", "Date/Time Range", "日時範囲", components!(DT_DR)),
    d("DT", "Date", "日付", ""),
    d("DTM", "Date/Time", "日時", ""),
    d(
        "ED",
        "Encapsulated Data",
        "カプセル化データ",
        components!(DT_ED),
    ),
    d("EI", "Entity Identifier", "実体識別子", components!(DT_EI)),
    d(
        "EIP",
        "Entity Identifier Pair",
        "実体識別子の対",
        components!(DT_EIP),
    ),
    d("FC", "Financial Class", "会計分類", components!(DT_FC)),
    d("FN", "Family Name", "姓", components!(DT_FN)),
    d("FT", "Formatted Text Data", "書式付きテキスト", ""),
    d(
        "GTS",
        "General Timing Specification",
        "一般タイミング指定",
        "",
    ),
    d(
        "HD",
        "Hierarchic Designator",
        "階層指定子",
        components!(DT_HD),
    ),
    d(
        "ID",
        "Coded Value for HL7 Defined Tables",
        "HL7定義表のコード値",
        "",
    ),
    d(
        "IS",
        "Coded Value for User-Defined Tables",
        "使用者定義表のコード値",
        "",
    ),
    d("JCC", "Job Code/Class", "職種・職位", components!(DT_JCC)),
    d(
        "LA1",
        "Location with Address Variation 1",
        "住所付き所在場所（型1）",
        components!(DT_LA1),
    ),
    d(
        "LA2",
        "Location with Address Variation 2",
        "住所付き所在場所（型2）",
        components!(DT_LA2),
    ),
    d("MO", "Money", "通貨", components!(DT_MO)),
    d(
        "MOC",
        "Money and Code",
        "通貨と料金コード",
        components!(DT_MOC),
    ),
    d("MSG", "Message Type", "メッセージ型", components!(DT_MSG)),
    d(
        "NDL",
        "Name with Date and Location",
        "日時・所在場所付きの名前",
        components!(DT_NDL),
    ),
    d("NM", "Numeric", "数値", ""),
    d(
        "OSD",
        "Order Sequence Definition",
        "オーダ順序定義",
        components!(DT_OSD),
    ),
    d("PL", "Person Location", "人の所在場所", components!(DT_PL)),
    d(
        "PRL",
        "Parent Result Link",
        "親結果リンク",
        components!(DT_PRL),
    ),
    d("PT", "Processing Type", "処理型", components!(DT_PT)),
    d("RI", "Repeat Interval", "反復間隔", components!(DT_RI)),
    d(
        "RP",
        "Reference Pointer",
        "参照ポインタ",
        components!(DT_RP),
    ),
    d(
        "RPT",
        "Repeat Pattern",
        "繰返しパターン",
        components!(DT_RPT),
    ),
    d("SAD", "Street Address", "町名番地", components!(DT_SAD)),
    d("SI", "Sequence ID", "シーケンスID", ""),
    d("SN", "Structured Numeric", "構造化数値", components!(DT_SN)),
    d("SPS", "Specimen Source", "検体採取元", components!(DT_SPS)),
    d("ST", "String Data", "文字列", ""),
    d("TM", "Time", "時刻", ""),
    d(
        "TQ",
        "Timing Quantity",
        "タイミング数量",
        components!(DT_TQ),
    ),
    d(
        "TS",
        "Time Stamp",
        "タイムスタンプ（日時）",
        components!(DT_TS),
    ),
    d("TX", "Text Data", "テキスト", ""),
    d(
        "VID",
        "Version Identifier",
        "バージョン識別子",
        components!(DT_VID),
    ),
    d("XAD", "Extended Address", "拡張住所", components!(DT_XAD)),
    d(
        "XCN",
        "Extended Composite ID Number and Name for Persons",
        "人の拡張複合ID番号と名前",
        components!(DT_XCN),
    ),
    d(
        "XON",
        "Extended Composite Name and ID Number for Organizations",
        "組織の拡張複合名とID番号",
        components!(DT_XON),
    ),
    d(
        "XPN",
        "Extended Person Name",
        "拡張人名",
        components!(DT_XPN),
    ),
    d(
        "XTN",
        "Extended Telecommunication Number",
        "拡張電話番号",
        components!(DT_XTN),
    ),
    d("ZRD", "Used Article", "使用物品", components!(DT_ZRD)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_types_are_sorted_and_positions_have_no_gap() {
        assert!(SEGMENTS.windows(2).all(|w| w[0].id < w[1].id));
        assert!(DATATYPES.windows(2).all(|w| w[0].id < w[1].id));
        for segment in SEGMENTS {
            for (at, field) in segment.fields().enumerate() {
                assert_eq!(usize::from(field.n), at + 1, "{}", segment.id);
                assert!(!field.en.is_empty());
            }
        }
        for kind in DATATYPES {
            for (at, component) in kind.components().enumerate() {
                assert_eq!(usize::from(component.n), at + 1, "{}", kind.id);
                assert!(!component.ja.is_empty());
            }
        }
    }

    #[test]
    fn every_data_type_named_by_a_field_is_described() {
        for segment in SEGMENTS {
            for field in segment.fields() {
                let known = field.datatype == "*" || datatype(field.datatype).is_some();
                assert!(known, "{}-{}", segment.id, field.n);
            }
        }
        for kind in DATATYPES {
            for component in kind.components() {
                assert!(datatype(component.datatype).is_some());
            }
        }
    }

    #[test]
    fn every_used_field_has_a_japanese_name() {
        for segment in SEGMENTS {
            assert!(!segment.ja.is_empty());
            for field in segment.fields() {
                let named = field.usage.is_empty() || !field.ja.is_empty();
                assert!(named, "{}-{}", segment.id, field.n);
            }
        }
    }

    #[test]
    fn v2_5_field_counts_are_complete() {
        for (id, count) in [
            ("MSH", 21),
            ("EVN", 7),
            ("PID", 39),
            ("NK1", 39),
            ("PV1", 52),
            ("PV2", 49),
            ("OBX", 19),
            ("OBR", 49),
            ("ORC", 30),
            ("TQ1", 14),
            ("RXE", 44),
            ("RXA", 26),
            ("RXR", 6),
            ("RXC", 9),
            ("SPM", 29),
            ("IN1", 53),
            ("ZI1", 53),
            ("AL1", 6),
            ("IAM", 20),
            ("PRB", 25),
        ] {
            assert_eq!(segment(id).unwrap().fields().count(), count, "{id}");
        }
    }

    #[test]
    fn use_of_a_field_depends_on_the_data_kind() {
        let status = field("ORC", 5).unwrap();
        assert_eq!(status.usage_in("OML-11"), Usage::RequiredIfKnown);
        assert_eq!(status.usage_in("OMG-13"), Usage::Optional);
        assert_eq!(status.usage_in("OMP-01"), Usage::NotUsed);
        assert_eq!(field("PID", 5).unwrap().usage_in("ADT-00"), Usage::Required);
        assert_eq!(field("PID", 9).unwrap().usage_in("ADT-00"), Usage::NotUsed);
        assert_eq!(field("ORC", 1).unwrap().usage_in("PPR-01"), Usage::Required);
        assert_eq!(field("ORC", 1).unwrap().usage_in("ADT-00"), Usage::NotUsed);
    }

    #[test]
    fn every_use_is_understood() {
        for segment in SEGMENTS {
            for field in segment.fields().filter(|f| !f.usage.is_empty()) {
                let used = [
                    "ADT-00", "PPR-01", "OMD", "OMP-01", "OMP-11", "OMP-02", "OMP-12", "OML-01",
                    "OML-11", "OMG-01", "OMG-11", "OMG-02", "OMG-12", "OMG-03", "OMG-13",
                ]
                .iter()
                .any(|kind| field.usage_in(kind) != Usage::NotUsed);
                assert!(used, "{}-{} {}", segment.id, field.n, field.usage);
            }
        }
    }

    #[test]
    fn position_zero_and_beyond_the_end_have_no_answer() {
        assert_eq!(field("PID", 0), None);
        assert_eq!(field("PID", 40), None);
        assert_eq!(field("XXX", 1), None);
        assert_eq!(segment("pid"), None);
        assert_eq!(datatype("ST").unwrap().components().count(), 0);
        assert_eq!(datatype("ST").unwrap().ja, "文字列");
        assert_eq!(component("XTN", 12).unwrap().ja, "書式なしの電話番号");
    }
}
