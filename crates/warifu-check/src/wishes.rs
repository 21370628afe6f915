//! The `[check]` section of `warifu.toml`, which is also the options of the npm package.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warifu_diag::Code;
use warifu_rules::selection::{Grade, Override, Selection, SelectionError, Wishes, is_glob};

/// A pattern and its grade word, in the order of patterns.
pub type Patterns = BTreeMap<String, String>;

/// `[check]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct CheckSection {
    /// Profiles of rules, later ones add.
    pub profile: Vec<String>,
    /// Codes, names or beginnings of codes to choose.
    pub select: Vec<String>,
    /// Those to leave out.
    pub ignore: Vec<String>,
    /// Whether rules that are not settled yet are on.
    pub preview: Option<bool>,
    /// Level that gives exit code 1: `error`, `warning`, `info`, `never`.
    pub fail_on: Option<String>,
    /// File with findings that do not count.
    pub baseline: Option<String>,
    /// Severity by code: `error`, `warning`, `info`, `off`.
    pub severity: Patterns,
    /// Wishes by path.
    #[serde(rename = "override")]
    pub overrides: Vec<OverrideSection>,
}

/// `[[check.override]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct OverrideSection {
    /// Globs of paths.
    pub paths: Vec<String>,
    /// Profiles of rules in place of those of the section.
    pub profile: Vec<String>,
    /// Rules to turn on.
    pub select: Vec<String>,
    /// Rules to turn off.
    pub ignore: Vec<String>,
    /// Severity by code.
    pub severity: Patterns,
}

/// Why a section cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WishError {
    /// A rule or profile that does not exist.
    Selection(SelectionError),
    /// A severity that is none.
    Grade {
        /// The code.
        code: String,
        /// What was given.
        word: String,
    },
    /// An override by path without paths.
    NoPaths {
        /// Which one, from 1.
        number: usize,
    },
    /// A glob that would match nothing.
    Glob {
        /// What was given.
        text: String,
    },
}

impl std::fmt::Display for WishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Selection(e) => e.fmt(f),
            Self::Grade { code, word } => {
                write!(
                    f,
                    "severity of {code}: {word} is none of error, warning, info, off"
                )
            }
            Self::NoPaths { number } => write!(f, "override {number}: no paths"),
            Self::Glob { text } => {
                write!(
                    f,
                    "paths: {text:?} is no glob (only **, * and ? are special)"
                )
            }
        }
    }
}

impl std::error::Error for WishError {}

impl From<SelectionError> for WishError {
    fn from(e: SelectionError) -> Self {
        Self::Selection(e)
    }
}

fn grades(patterns: &Patterns) -> Result<Vec<(String, Grade)>, WishError> {
    patterns
        .iter()
        .map(|(code, word)| match Grade::of(word) {
            Some(g) => Ok((code.clone(), g)),
            None => Err(WishError::Grade {
                code: code.clone(),
                word: word.clone(),
            }),
        })
        .collect()
}

impl CheckSection {
    /// The rules the section asks for.
    ///
    /// # Errors
    /// [`WishError`] for the first thing that does not exist.
    pub fn selection(&self) -> Result<Selection, WishError> {
        Ok(Selection::new(&self.wishes()?)?)
    }

    /// The same among some codes, for who finds no others.
    ///
    /// # Errors
    /// [`WishError`] for the first thing that does not exist.
    pub fn selection_among(&self, all: &[Code]) -> Result<Selection, WishError> {
        Ok(Selection::among(&self.wishes()?, all)?)
    }

    fn wishes(&self) -> Result<Wishes, WishError> {
        let overrides = self
            .overrides
            .iter()
            .zip(1..)
            .map(|(o, number)| {
                if o.paths.is_empty() {
                    return Err(WishError::NoPaths { number });
                }
                if let Some(text) = o.paths.iter().find(|p| !is_glob(p)).cloned() {
                    return Err(WishError::Glob { text });
                }
                Ok(Override {
                    paths: o.paths.clone(),
                    profiles: o.profile.clone(),
                    select: o.select.clone(),
                    ignore: o.ignore.clone(),
                    severity: grades(&o.severity)?,
                })
            })
            .collect::<Result<Vec<Override>, WishError>>()?;
        Ok(Wishes {
            profiles: self.profile.clone(),
            preview: self.preview.unwrap_or(false),
            select: self.select.clone(),
            ignore: self.ignore.clone(),
            severity: grades(&self.severity)?,
            overrides,
        })
    }
}
