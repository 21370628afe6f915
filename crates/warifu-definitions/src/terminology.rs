//! The trait through which codes are judged.

use crate::PackageId;

/// A code as it stands in a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code<'a> {
    /// System; `None` for elements of type `code`, `string` or `uri`, whose system is the set's.
    pub system: Option<&'a str>,
    /// Version of the system.
    pub version: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// Text beside the code.
    pub display: Option<&'a str>,
}

/// Why membership is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotChecked {
    /// A code system that is not at hand.
    SystemNotHeld {
        /// Its URL.
        system: Box<str>,
    },
    /// The code has the shape of its system; the system is too large to ship.
    ShapeOnly {
        /// Its URL.
        system: Box<str>,
    },
    /// A filter that cannot be evaluated.
    Filter {
        /// Property and operator.
        filter: Box<str>,
    },
    /// The value set is in a package that is not loaded.
    Missing {
        /// `name#version`.
        package: Box<str>,
    },
    /// The expansion is beyond the limits.
    TooLarge,
}

/// Whether a code is in a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    In,
    /// It is not, or it has not the shape that all codes of its system have.
    NotIn,
    /// What is at hand does not decide it.
    NotChecked(NotChecked),
    /// No value set of this canonical is at hand.
    UnknownValueSet,
}

/// What is known of a code in its own system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeAnswer {
    /// The system has it.
    Known {
        /// The system's text for it, where the text beside the code is another.
        other_display: Option<Box<str>>,
    },
    /// The system is complete and has it not.
    UnknownCode,
    /// What is at hand does not decide it.
    NotChecked(NotChecked),
}

/// Codes and value sets.
pub trait Terminology {
    /// Whether a code is in a value set.
    ///
    /// `value_set` may carry `|version`; `from` is as in
    /// [`Definitions::structure`](crate::Definitions::structure). Sets of R4 core are answered too.
    fn member(&self, value_set: &str, from: Option<PackageId>, code: Code<'_>) -> Membership;

    /// Whether a code is in its system.
    fn code(&self, code: Code<'_>) -> CodeAnswer;
}
