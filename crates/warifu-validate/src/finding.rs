//! What validation found.

use std::ops::Range;

use warifu_diag::{Code, Severity};

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Code of the catalogue.
    pub code: Code,
    /// Key of the invariant that is broken, as `dom-6`: it stands for the code then.
    pub key: Option<Box<str>>,
    /// Severity.
    pub severity: Severity,
    /// Bytes it is about: the value, or the key of an object or array.
    pub span: Range<u32>,
    /// FHIRPath of the element, as `Patient.identifier[0].system`; of a missing element where it is to be.
    pub location: String,
    /// Argument of the code's text: names of the definitions, never a value.
    pub argument: String,
    /// Profiles that demand it, as `url|version`; empty: R4 core.
    pub profiles: Vec<String>,
    /// Id of the element definition that demands it, or the type of R4.
    pub element: String,
    /// What is demanded, from the definition; empty if the code says it.
    pub expected: String,
    /// Expression of the invariant that is broken.
    pub expression: String,
    /// What stands there. May be patient data: shown only where values may be, unless it is a name.
    pub found: String,
    /// Whether `found` is a name of R4, a count or the like, which tells nothing of a person.
    pub is_name: bool,
    /// For slices and profiles, why each did not match.
    pub reasons: Vec<String>,
}

impl Finding {
    /// One that no element of a definition demands.
    pub(crate) fn of(code: Code, span: Range<u32>, argument: String) -> Self {
        Self {
            code,
            key: None,
            severity: code.severity,
            span,
            location: String::new(),
            argument,
            profiles: Vec::new(),
            element: String::new(),
            expected: String::new(),
            expression: String::new(),
            found: String::new(),
            is_name: false,
            reasons: Vec::new(),
        }
    }

    /// `dom-6` for invariants, else the number of the catalogue.
    pub fn code(&self) -> &str {
        self.key.as_deref().unwrap_or(self.code.code)
    }
}

/// All findings of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// In the order of their bytes; where there are more than [`Options::most`](crate::Options::most), the
    /// gravest, and one (`FHR309`) that says how many are left out.
    pub list: Vec<Finding>,
    /// Those that are left out.
    pub further: usize,
}

impl Findings {
    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|f| f.severity == Severity::Error)
    }
}
