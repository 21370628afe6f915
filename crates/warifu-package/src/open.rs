//! A package from whatever bytes somebody has of it.

use crate::archive::{File, Limits, unpack};
use crate::compile::{Fallback, TooLarge, compile, digest};
use crate::package::{Package, ReadError};
use crate::problem::{Problem, ProblemKind};

/// A package and what is wrong with its files.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The package.
    pub package: Package,
    /// What is wrong with its files; nothing is known of those of a compiled one.
    pub problems: Vec<Problem>,
    /// See [`digest`]; a compiled package has none.
    pub digest: Option<[u8; 32]>,
}

/// Why bytes or files are no package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No archive, or nothing in it that defines.
    #[error("not a FHIR package (.tgz, or a folder with package.json) [FHR501]")]
    NoPackage,
    /// More than the format holds.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A compiled package that cannot be read.
    #[error("{0}. Make it again with warifu package compile [FHR526]")]
    Read(#[from] ReadError),
}

impl OpenError {
    /// Why, in Japanese and in English.
    pub fn text(&self) -> [String; 2] {
        let ja = match self {
            Self::NoPackage => {
                "FHIR のパッケージではありません (.tgz か、package.json のあるフォルダー) [FHR501]"
                    .to_owned()
            }
            Self::TooLarge(_) => "大きすぎて読めません".to_owned(),
            Self::Read(e) => {
                format!(
                    "読めません ({e})。もう一度 warifu package compile で作ってください [FHR526]"
                )
            }
        };
        [ja, self.to_string()]
    }
}

/// A package from a compiled one, read in place, or from an archive (`.tgz`).
///
/// # Errors
/// [`OpenError`].
pub fn open(bytes: Vec<u8>, fallback: Fallback<'_>, limits: &Limits) -> Result<Opened, OpenError> {
    if bytes.starts_with(b"WFP") {
        return Ok(Opened {
            package: Package::read(bytes)?,
            problems: Vec::new(),
            digest: None,
        });
    }
    let unpacked = unpack(&bytes, limits);
    drop(bytes);
    open_files(unpacked.files, unpacked.problems, fallback, limits)
}

/// A package from its files, and what was wrong with them on the way here.
///
/// # Errors
/// [`OpenError`].
pub fn open_files(
    mut files: Vec<File>,
    mut problems: Vec<Problem>,
    fallback: Fallback<'_>,
    limits: &Limits,
) -> Result<Opened, OpenError> {
    if files.is_empty() || problems.iter().any(|p| p.kind == ProblemKind::NoArchive) {
        return Err(OpenError::NoPackage);
    }
    let digest = digest(&mut files);
    let compiled = compile(files, fallback, limits)?;
    problems.extend(compiled.problems);
    Ok(Opened {
        package: Package::read(compiled.bytes)?,
        problems,
        digest: Some(digest),
    })
}
