//! Oddities of names and paths: what is readable, but not as the standard has it.

/// Something odd about a file name or a path that was read all the same.
///
/// The meaning of a variant never changes; [`NameNote::slug`] is its stable name. No
/// variant carries text of the name, since names hold the patient number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameNote {
    /// Folder level 1 is not characters 1–3 of the patient id of level 3.
    LevelOneDiffers,
    /// Folder level 2 is not characters 4–6 of the patient id of level 3.
    LevelTwoDiffers,
    /// Patient id of the folder and of the file name differ; the folder is trusted.
    PatientDiffers,
    /// Care date of the folder and of the file name differ; the file name is trusted.
    DateDiffers,
    /// Data kind of the folder and of the file name differ; the file name is trusted.
    KindDiffers,
    /// Patient id is longer than 15 characters.
    PatientIdLong,
    /// Date is neither `-` nor a calendar day `YYYYMMDD`.
    DateInvalid,
    /// A kind without a day (ADT-00, ADT-01, ADT-61, PPR-01) has a day.
    DateUnexpected,
    /// A kind with a day has `-`.
    DateMissing,
    /// The data kind is neither one of the 26 nor of the extended form `code^name^system`.
    KindUnknown,
    /// An extended kind has neither three nor six parts.
    ExtendedKindShape,
    /// An extended kind is longer than 180 characters.
    ExtendedKindLong,
    /// Order number of a standard kind is not 15 characters long (13 digits are met).
    OrderNoLength,
    /// Order number of a standard kind has characters that are no digits.
    OrderNoNotDigits,
    /// Specific key of an extended item is longer than 22 characters.
    SpecificKeyLong,
    /// Order number or specific key is empty.
    OrderNoEmpty,
    /// Time stamp does not have 17 digits (15 digits are met).
    TimestampLength,
    /// Time stamp is no time of the calendar.
    TimestampInvalid,
    /// The department part is absent (six parts instead of seven).
    DepartmentMissing,
    /// The department is neither `-` nor 2–3 characters.
    DepartmentShape,
    /// An extended item lies directly in the kind folder, without content folder.
    ContentFolderMissing,
    /// A file of a standard kind lies one or more folders too deep.
    ExtraLevel,
}

impl NameNote {
    /// Every note, in the order of declaration.
    pub const ALL: [NameNote; 22] = [
        Self::LevelOneDiffers,
        Self::LevelTwoDiffers,
        Self::PatientDiffers,
        Self::DateDiffers,
        Self::KindDiffers,
        Self::PatientIdLong,
        Self::DateInvalid,
        Self::DateUnexpected,
        Self::DateMissing,
        Self::KindUnknown,
        Self::ExtendedKindShape,
        Self::ExtendedKindLong,
        Self::OrderNoLength,
        Self::OrderNoNotDigits,
        Self::SpecificKeyLong,
        Self::OrderNoEmpty,
        Self::TimestampLength,
        Self::TimestampInvalid,
        Self::DepartmentMissing,
        Self::DepartmentShape,
        Self::ContentFolderMissing,
        Self::ExtraLevel,
    ];

    /// Stable name, e.g. `patient-differs`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::LevelOneDiffers => "level-one-differs",
            Self::LevelTwoDiffers => "level-two-differs",
            Self::PatientDiffers => "patient-differs",
            Self::DateDiffers => "date-differs",
            Self::KindDiffers => "kind-differs",
            Self::PatientIdLong => "patient-id-long",
            Self::DateInvalid => "date-invalid",
            Self::DateUnexpected => "date-unexpected",
            Self::DateMissing => "date-missing",
            Self::KindUnknown => "kind-unknown",
            Self::ExtendedKindShape => "extended-kind-shape",
            Self::ExtendedKindLong => "extended-kind-long",
            Self::OrderNoLength => "order-no-length",
            Self::OrderNoNotDigits => "order-no-not-digits",
            Self::SpecificKeyLong => "specific-key-long",
            Self::OrderNoEmpty => "order-no-empty",
            Self::TimestampLength => "timestamp-length",
            Self::TimestampInvalid => "timestamp-invalid",
            Self::DepartmentMissing => "department-missing",
            Self::DepartmentShape => "department-shape",
            Self::ContentFolderMissing => "content-folder-missing",
            Self::ExtraLevel => "extra-level",
        }
    }
}
