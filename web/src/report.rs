//! S16: something is wrong, told to the desk: without signing in, and of nobody in particular unless the
//! person says so.

use warifu_consent::json::{Members, Value};

/// Characters of what is told, as the server has it.
pub const LONGEST: usize = 2_000;
/// Characters of where its sender is reached.
pub const CONTACT: usize = 200;
/// What it may be about, as the server names it.
pub const KINDS: [&str; 4] = ["access", "record", "screen", "other"];

/// What is filled in so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// One of [`KINDS`]; empty until it is chosen.
    pub kind: String,
    /// What is told.
    pub text: String,
    /// Where an answer goes to; perhaps nowhere.
    pub contact: String,
    /// Of the person of the session.
    pub mine: bool,
}

impl Report {
    /// Without spaces at the ends.
    pub fn trimmed(&self) -> Self {
        Self {
            kind: self.kind.clone(),
            text: self.text.trim().to_owned(),
            contact: self.contact.trim().to_owned(),
            mine: self.mine,
        }
    }

    /// As a body.
    pub fn write(&self) -> Value {
        let mut all = vec![
            ("kind", Value::from(self.kind.as_str())),
            ("text", self.text.as_str().into()),
        ];
        if !self.contact.is_empty() {
            all.push(("contact", self.contact.as_str().into()));
        }
        if self.mine {
            all.push(("mine", Value::Bool(true)));
        }
        all.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Members>()
            .into()
    }
}
