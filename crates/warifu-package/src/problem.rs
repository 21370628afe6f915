//! What is wrong with a package; reading goes on.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File within the package; empty for the package as a whole.
    pub file: String,
    /// What.
    pub kind: ProblemKind,
}

impl Problem {
    pub(crate) fn new(file: &str, kind: ProblemKind) -> Self {
        Self {
            file: file.to_owned(),
            kind,
        }
    }

    /// Code of the catalogue.
    pub fn code(&self) -> &'static str {
        match self.kind {
            ProblemKind::NoArchive => "FHR501",
            ProblemKind::CutOff => "FHR502",
            ProblemKind::TooLarge | ProblemKind::TooMany => "FHR503",
            ProblemKind::FileTooLarge => "FHR504",
            ProblemKind::OutsidePath => "FHR505",
            ProblemKind::NoManifest => "FHR506",
            ProblemKind::BadJson { .. } => "FHR507",
            ProblemKind::NoUrl => "FHR508",
            ProblemKind::Duplicate { .. } => "FHR509",
            ProblemKind::DuplicateCode { .. } => "FHR510",
            ProblemKind::OtherFhirVersion => "FHR511",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The bytes are no gzipped tar archive.
    NoArchive,
    /// The archive ends too early; what came before is used.
    CutOff,
    /// More bytes than [`Limits::unpacked`](crate::Limits::unpacked); what came before is used.
    TooLarge,
    /// More entries than [`Limits::entries`](crate::Limits::entries); what came before is used.
    TooMany,
    /// Longer than [`Limits::file`](crate::Limits::file); left out.
    FileTooLarge,
    /// The path leads out of the package; left out.
    OutsidePath,
    /// There is no `package.json` with name and version, and no ImplementationGuide either; the
    /// package has the name and version given by the caller.
    NoManifest,
    /// No JSON; left out.
    BadJson {
        /// Offset of the first fault.
        at: u32,
    },
    /// A definition without `url`; left out.
    NoUrl,
    /// Type, canonical and version are those of another file, which comes first and is used.
    Duplicate {
        /// The file that is used.
        first: String,
    },
    /// A code occurs more than once in a code system; the first is used.
    DuplicateCode {
        /// How many.
        count: u32,
    },
    /// FHIR versions of the package do not include 4.0: its definitions may not fit.
    OtherFhirVersion,
}

impl ProblemKind {
    /// What is wrong, in Japanese and in English.
    pub fn text(&self) -> [String; 2] {
        let (ja, en) = match self {
            Self::NoArchive => ("書庫 (.tgz) ではありません", "no .tgz archive"),
            Self::CutOff => (
                "書庫が途中で切れています。読めたところまで使います",
                "the archive ends early; what came before is used",
            ),
            Self::TooLarge => (
                "書庫が上限より大きいので、残りは読みません",
                "the archive is larger than the limit; the rest is not read",
            ),
            Self::TooMany => (
                "書庫のファイルが多すぎるので、残りは読みません",
                "the archive has too many files; the rest is not read",
            ),
            Self::FileTooLarge => ("大きすぎるので使いません", "too large, left out"),
            Self::OutsidePath => (
                "パッケージの外を指す名前なので使いません",
                "the path leads out of the package, left out",
            ),
            Self::NoManifest => (
                "名前と版のある package.json がありません",
                "no package.json with name and version",
            ),
            Self::BadJson { at } => {
                return [
                    format!("JSON ではありません ({at} バイト目)。使いません"),
                    format!("no JSON (byte {at}), left out"),
                ];
            }
            Self::NoUrl => ("url がないので使いません", "without url, left out"),
            Self::Duplicate { first } => {
                return [
                    format!("同じ定義が {first} にあり、そちらを使います"),
                    format!("defined in {first} too, which is used"),
                ];
            }
            Self::DuplicateCode { count } => {
                return [
                    format!("重複したコードが {count} あり、最初のものを使います"),
                    format!("{count} codes occur twice; the first is used"),
                ];
            }
            Self::OtherFhirVersion => (
                "FHIR R4 (4.0) のパッケージではありません",
                "not a package of FHIR R4 (4.0)",
            ),
        };
        [ja.to_owned(), en.to_owned()]
    }
}
