//! `gitlab`: the code quality report. Fingerprints are unique, since equal findings are counted in them.

use serde::Serialize;

use super::{Render, json, title_of};
use crate::position::Position;
use crate::report::{FileReport, Totals};

#[derive(Default)]
pub(super) struct Gitlab {
    some: bool,
}

#[derive(Serialize)]
struct Entry<'f> {
    description: String,
    check_name: &'f str,
    fingerprint: &'f str,
    severity: &'static str,
    location: Location<'f>,
}

#[derive(Serialize)]
struct Location<'f> {
    path: &'f str,
    positions: Positions,
}

#[derive(Serialize)]
struct Positions {
    begin: Position,
    end: Position,
}

impl Render for Gitlab {
    fn begin(&mut self, _: &Totals, out: &mut Vec<u8>) {
        out.push(b'[');
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        for f in &file.findings {
            out.extend_from_slice(if self.some { b",\n" } else { b"\n" });
            self.some = true;
            let entry = Entry {
                description: format!("{} {}", title_of(f), f.message),
                check_name: &f.code,
                fingerprint: f.fingerprint.as_deref().unwrap_or(""),
                severity: match f.severity.as_str() {
                    "error" => "critical",
                    "warning" => "minor",
                    _ => "info",
                },
                location: Location {
                    path: f.primary.file.trim_start_matches("./"),
                    positions: Positions {
                        begin: f.primary.start,
                        end: f.primary.end,
                    },
                },
            };
            json(&entry, out);
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.some { b"\n]\n" } else { b"]\n" });
    }
}
