//! `checkstyle`: version 4.3 of its XML. Files without findings are left out; the records of a transaction
//! file are one file.

use super::{Render, attribute};
use crate::report::{FileReport, Totals};

#[derive(Default)]
pub(super) struct Checkstyle {
    /// The file whose element is open.
    open: Option<String>,
}

impl Checkstyle {
    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            out.extend_from_slice(b"</file>\n");
        }
    }
}

impl Render for Checkstyle {
    fn begin(&mut self, _: &Totals, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n",
        );
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        if file.findings.is_empty() {
            return;
        }
        if self.open.as_ref() != Some(&file.path) {
            self.close(out);
            out.extend_from_slice(b"<file");
            attribute("name", &file.path, out);
            out.extend_from_slice(b">\n");
            self.open = Some(file.path.clone());
        }
        for f in &file.findings {
            out.extend_from_slice(b"<error");
            attribute("line", &f.primary.start.line.to_string(), out);
            attribute("column", &f.primary.start.column.to_string(), out);
            attribute("severity", &f.severity, out);
            let message = match &f.primary.path {
                Some(p) => format!("{p} {}", f.message),
                None => f.message.clone(),
            };
            attribute("message", &message, out);
            attribute("source", &format!("warifu.{}", f.code), out);
            out.extend_from_slice(b"/>\n");
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        self.close(out);
        out.extend_from_slice(b"</checkstyle>\n");
    }
}
