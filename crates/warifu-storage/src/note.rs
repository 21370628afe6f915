//! Findings about a storage as a whole; what is odd about a *name* is told by
//! `warifu-ssmix2`.

/// Kind of a [`StorageNote`]. The meaning of a variant never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StorageNoteKind {
    /// Archive entry with an absolute path; refused.
    AbsolutePath,
    /// Archive entry with `..` or a NUL in its path; refused.
    UnsafePath,
    /// Link in a folder or archive; not followed.
    Link,
    /// Device, pipe or the like; not opened.
    SpecialFile,
    /// Entry or file longer than `max_file`; left out.
    TooLarge,
    /// Archive or entry that expands beyond `max_expansion`; reading stopped there.
    Expansion,
    /// Encrypted archive entry; left out.
    Encrypted,
    /// Archive entry with a compression that is not supported; left out.
    Method,
    /// The archive, or the entry named, is damaged.
    Damaged,
    /// Archive inside an archive; not opened.
    NestedArchive,
    /// The same path twice in an archive; the last one counts.
    RepeatedEntry,
    /// Folder or entry name that is not UTF-8; read as CP932.
    NameNotUtf8,
    /// Files passed over: hidden, `Thumbs.db`, `*.tmp`, excluded. Counted.
    Skipped,
    /// Files of no known content where there is no storage: the first with their path, the rest
    /// counted.
    Unrecognised,
    /// File or folder beside the storage levels.
    OutsideStorage,
    /// Message beside the storage levels, under no name of a storage; not read.
    OutsideMessage,
    /// Folder that the system refuses to read.
    FolderUnreadable,
    /// File that the system refuses to read.
    FileUnreadable,
    /// Folder that vanished while it was read, also on the second attempt.
    FolderVanished,
    /// Content folder without a file.
    ContentFolderEmpty,
    /// Header line of a journal record that cannot be used; the message below it is read by what else the line
    /// says, or without it.
    JournalHeader,
    /// Record of a journal whose operation is neither `INS` nor `DEL`; likewise.
    JournalOperation,
    /// Last record of a journal that ends in the middle of a line: the rest is missing. Not read, but for what
    /// it deletes.
    JournalCut,
    /// Record of a journal with an earlier time than the one before it; replayed in the order of the file.
    JournalOrder,
    /// Mark of UTF-8 before the first header of a journal; passed over.
    JournalBom,
    /// Delete of a journal without the message that it must bring (標準化ストレージ): what it withdraws
    /// is known only from an insert before it.
    JournalDelete,
    /// Record of a journal with a format version other than 2.00; read all the same.
    JournalVersion,
    /// Journal in the folder of another year than that of its name; read all the same.
    JournalYear,
    /// Record of a journal whose institution id has not the form of a number of 10 digits; read all the
    /// same.
    JournalInstitution,
    /// Record of a journal whose institution number has a wrong check digit; read all the same.
    JournalCheckDigit,
    /// Root whose name is an institution number with a wrong check digit.
    RootCheckDigit,
    /// Journal whose name is not `TR_YYYYMMDDHHMMSSFFF_nnnnn.DAT`; read all the same.
    JournalName,
    /// Withdrawn version among loose messages of which some have no name: these are not weighed against it.
    WithdrawnBeside,
    /// The number of a loose message that another has with other zeros before it or other digits: told once.
    NumberForms,
    /// Loose messages of one person that are too many to be read together. Counted.
    LooseApart,
    /// Journal record longer than `max_file`; left out.
    JournalRecordLong,
    /// Bytes before the first header of a journal.
    JournalStray,
    /// Journals beside a standard or extended storage; not replayed. Counted.
    JournalsIgnored,
    /// Roots of several institutions: their patients are kept apart. Counted.
    SeveralInstitutions,
    /// Folders nested deeper than the reader goes.
    TooDeep,
}

impl StorageNoteKind {
    /// Stable name, e.g. `absolute-path`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::AbsolutePath => "absolute-path",
            Self::UnsafePath => "unsafe-path",
            Self::Link => "link",
            Self::SpecialFile => "special-file",
            Self::TooLarge => "too-large",
            Self::Expansion => "expansion",
            Self::Encrypted => "encrypted",
            Self::Method => "method",
            Self::Damaged => "damaged",
            Self::NestedArchive => "nested-archive",
            Self::RepeatedEntry => "repeated-entry",
            Self::NameNotUtf8 => "name-not-utf8",
            Self::Skipped => "skipped",
            Self::Unrecognised => "unrecognised",
            Self::OutsideStorage => "outside-storage",
            Self::OutsideMessage => "outside-message",
            Self::FolderUnreadable => "folder-unreadable",
            Self::FileUnreadable => "file-unreadable",
            Self::FolderVanished => "folder-vanished",
            Self::ContentFolderEmpty => "content-folder-empty",
            Self::JournalHeader => "journal-header",
            Self::JournalOperation => "journal-operation-neither-ins-nor-del",
            Self::JournalCut => "journal-cut",
            Self::JournalOrder => "journal-order",
            Self::JournalBom => "journal-bom",
            Self::WithdrawnBeside => "withdrawn-beside",
            Self::NumberForms => "number-forms",
            Self::LooseApart => "loose-apart",
            Self::JournalDelete => "journal-delete-without-message",
            Self::JournalVersion => "journal-version",
            Self::JournalYear => "journal-of-another-year",
            Self::JournalInstitution => "journal-institution",
            Self::JournalCheckDigit => "journal-institution-check-digit",
            Self::RootCheckDigit => "root-institution-check-digit",
            Self::JournalName => "journal-name",
            Self::JournalRecordLong => "journal-record-long",
            Self::JournalStray => "journal-stray",
            Self::JournalsIgnored => "journals-ignored",
            Self::SeveralInstitutions => "several-institutions",
            Self::TooDeep => "too-deep",
        }
    }

    /// Whether part of the input was refused or could not be read (exit code 2).
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::AbsolutePath
                | Self::UnsafePath
                | Self::TooLarge
                | Self::Expansion
                | Self::Encrypted
                | Self::Method
                | Self::Damaged
                | Self::FolderUnreadable
                | Self::FileUnreadable
                | Self::JournalRecordLong
                | Self::TooDeep
        )
    }
}

/// Where in a file a finding is: bytes that lie in one line and are ASCII up to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotePlace {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Line from 1; CR, LF and CR LF each end one.
    pub line: u32,
    /// Column of the first byte, from 1.
    pub column: u32,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageNote {
    /// What was found.
    pub kind: StorageNoteKind,
    /// Path with `/` relative to the input; empty for counts.
    pub path: String,
    /// Number of the input, where it is known.
    pub input: Option<usize>,
    /// Where in the file; `None` for the file as a whole.
    pub place: Option<NotePlace>,
    /// How many, for the kinds that are counted; else 1.
    pub count: u64,
}

#[cfg(feature = "memory-zip")]
impl StorageNote {
    pub(crate) fn at(kind: StorageNoteKind, path: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            input: None,
            place: None,
            count: 1,
        }
    }
}

#[cfg(feature = "fs")]
impl StorageNote {
    pub(crate) fn counted(kind: StorageNoteKind, count: u64) -> Self {
        Self {
            count,
            ..Self::at(kind, "")
        }
    }
}

#[cfg(feature = "codes")]
impl StorageNote {
    /// The code of the finding.
    pub fn code(&self) -> warifu_diag::Code {
        use StorageNoteKind as K;
        use warifu_diag::catalogue::ssm;
        match self.kind {
            K::AbsolutePath | K::UnsafePath => &ssm::SSM110,
            K::NestedArchive => &ssm::SSM146,
            K::Link | K::SpecialFile | K::TooDeep => &ssm::SSM147,
            K::TooLarge | K::Expansion | K::JournalRecordLong => &ssm::SSM111,
            K::FolderVanished => &ssm::SSM109,
            K::JournalHeader | K::JournalOperation => &ssm::SSM179,
            K::JournalCut => &ssm::SSM180,
            K::LooseApart => &ssm::SSM181,
            K::OutsideMessage => &ssm::SSM182,
            K::WithdrawnBeside => &ssm::SSM116,
            K::NumberForms => &ssm::SSM184,
            K::JournalDelete
            | K::JournalStray
            | K::JournalsIgnored
            | K::JournalOrder
            | K::JournalBom => &ssm::SSM114,
            K::JournalName => &ssm::SSM178,
            K::JournalVersion => &ssm::SSM162,
            K::JournalYear => &ssm::SSM164,
            K::JournalInstitution => &ssm::SSM163,
            K::JournalCheckDigit | K::RootCheckDigit => &ssm::SSM145,
            K::SeveralInstitutions => &ssm::SSM149,
            K::Skipped => &ssm::SSM119,
            K::Encrypted | K::Method | K::Damaged | K::FolderUnreadable | K::FileUnreadable => {
                &ssm::SSM115
            }
            K::RepeatedEntry => &ssm::SSM104,
            K::NameNotUtf8 => &ssm::SSM117,
            _ => &ssm::SSM108,
        }
    }
}
