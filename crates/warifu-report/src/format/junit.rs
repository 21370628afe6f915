//! `junit`: one suite a file (or record of a transaction file), one case a finding, one passing case a clean
//! file.
//!
//! Valid against the schemas of Ant and of Jenkins. `error` and `warning` fail, `info` passes.

use super::{Context, Render, attribute, title_of, xml};
use crate::finding::Finding;
use crate::report::{FileReport, Totals};

pub(super) struct Junit {
    context: Context,
    next: u64,
}

impl Junit {
    pub(super) fn new(context: Context) -> Self {
        Self { context, next: 0 }
    }
}

impl Render for Junit {
    fn begin(&mut self, _: &Totals, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        if file.note && file.findings.is_empty() {
            return;
        }
        let failures = file
            .findings
            .iter()
            .filter(|f| f.severity != "info")
            .count();
        let suite = match &file.record {
            Some(record) => &format!("{} ({record})", file.path),
            None => &file.path,
        };
        let is_fhir = |f: &Finding| f.fhir.is_some();
        let is_json = [".json", ".ndjson", ".jsonl"]
            .iter()
            .any(|end| file.path.ends_with(end));
        let package = if is_json || file.findings.iter().any(is_fhir) {
            "fhir"
        } else {
            "ssmix2"
        };
        out.extend_from_slice(b" <testsuite");
        for (name, value) in [
            ("id", self.next.to_string().as_str()),
            ("package", package),
            ("name", suite),
            ("timestamp", &self.context.timestamp),
            ("hostname", "localhost"),
            ("tests", &file.findings.len().max(1).to_string()),
            ("failures", &failures.to_string()),
            ("errors", "0"),
            ("time", "0"),
        ] {
            attribute(name, value, out);
        }
        self.next += 1;
        out.extend_from_slice(b">\n  <properties/>\n");
        let class = file
            .kind
            .as_ref()
            .map_or_else(|| "warifu".to_owned(), |k| format!("warifu.{k}"));
        if file.findings.is_empty() {
            out.extend_from_slice(b"  <testcase");
            attribute("classname", &class, out);
            attribute("name", self.context.say("問題なし", "clean"), out);
            out.extend_from_slice(b" time=\"0\"/>\n");
        }
        for f in &file.findings {
            out.extend_from_slice(b"  <testcase");
            attribute("classname", &class, out);
            attribute("name", &title_of(f), out);
            if f.severity == "info" {
                out.extend_from_slice(b" time=\"0\"/>\n");
                continue;
            }
            out.extend_from_slice(b" time=\"0\">\n   <failure");
            attribute("type", &f.severity, out);
            attribute("message", &f.message, out);
            out.push(b'>');
            let (at, [start, end]) = (f.primary.start, f.primary.span);
            let help = f.help.as_deref().unwrap_or("");
            xml(
                format!("{}:{} (byte {start}-{end}) {help}", at.line, at.column).trim_end(),
                out,
            );
            out.extend_from_slice(b"</failure>\n  </testcase>\n");
        }
        out.extend_from_slice(b"  <system-out/><system-err/>\n </testsuite>\n");
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</testsuites>\n");
    }
}
