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
