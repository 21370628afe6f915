//! The baseline: findings that were there when the check was introduced and do not fail a run.
//!
//! A JSON array, sorted, one entry a line: `{"fingerprint":"…","code":"ENC107","count":1}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::report::FileReport;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    fingerprint: String,
    code: String,
    count: u64,
}

/// Why a text is no baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaselineError {
    /// Not JSON of this shape; the line, from 1.
    Shape {
        /// Line from 1.
        line: usize,
    },
}

impl std::fmt::Display for BaselineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { line } => write!(f, "line {line} is no entry of a baseline"),
        }
    }
}

impl std::error::Error for BaselineError {}

/// Fingerprints with their codes and how often they occur.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    entries: BTreeMap<String, (String, u64)>,
}

impl Baseline {
    /// Reads the file.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let lines: Vec<Line> =
            serde_json::from_str(text).map_err(|e| BaselineError::Shape { line: e.line() })?;
        Ok(Self {
            entries: lines
                .into_iter()
                .map(|l| (l.fingerprint, (l.code, l.count)))
                .collect(),
        })
    }
    /// Adds the findings of a file.
    pub fn add(&mut self, file: &FileReport) {
        for f in &file.findings {
            if let Some(print) = &f.fingerprint {
                self.entries
                    .entry(print.clone())
                    .or_insert_with(|| (f.code.clone(), 0))
                    .1 += 1;
            }
        }
    }
    /// Takes the findings that are known out of a file and counts them off; gives how many.
    pub fn take(&mut self, file: &mut FileReport) -> u64 {
        let mut known = 0;
        file.retain(|f| {
            let entry = f.fingerprint.as_ref().and_then(|p| self.entries.get_mut(p));
            match entry {
                Some((_, n)) if *n > 0 => {
                    *n -= 1;
                    known += 1;
                    false
                }
                _ => true,
            }
        });
        known
    }
    /// How many findings are left: after [`Self::take`] of every file those that are solved.
    pub fn left(&self) -> u64 {
        self.entries.values().map(|(_, n)| n).sum()
    }
    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = String::from("[");
        for (i, (fingerprint, (code, count))) in self.entries.iter().enumerate() {
            text.push_str(if i == 0 { "\n" } else { ",\n" });
            let line = Line {
                fingerprint: fingerprint.clone(),
                code: code.clone(),
                count: *count,
            };
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
        }
        text.push_str("\n]\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_and_mistakes_name_their_line() {
        let text = "[\n{\"fingerprint\":\"aa\",\"code\":\"ENC107\",\"count\":2}\n]\n";
        let b = Baseline::read(text).unwrap();
        assert_eq!((b.text().as_str(), b.left()), (text, 2));
        assert_eq!(Baseline::default().text(), "[\n]\n");
        assert_eq!(
            Baseline::read("[\n{\"fingerprint\":1}\n]").unwrap_err(),
            BaselineError::Shape { line: 2 }
        );
    }
}
