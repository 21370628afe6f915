//! `json` and `ndjson`: `warifu.diagnostics/1`.

use super::{Context, Render, json};
use crate::Lang;
use crate::position::Units;
use crate::report::{FileReport, Summary, Totals};

pub(super) struct Json {
    context: Context,
    first: bool,
}

impl Json {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            first: true,
        }
    }
}

impl Render for Json {
    fn begin(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"{\"format\":\"warifu.diagnostics/1\",\"tool\":{\"name\":\"warifu\",\"version\":",
        );
        json(&self.context.version, out);
        let (lang, kind) = (
            match self.context.lang {
                Lang::Ja => "ja",
                Lang::En => "en",
            },
            match self.context.units {
                Units::Utf16 => "utf16CodeUnits",
                Units::Utf8 => "utf8CodeUnits",
                Units::CodePoint => "unicodeCodePoints",
            },
        );
        out.extend_from_slice(
            format!("}},\"lang\":\"{lang}\",\"columnKind\":\"{kind}\",\n \"summary\":").as_bytes(),
        );
        json(&totals.summary, out);
        out.extend_from_slice(b",\n \"diagnostics\":[");
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        for f in &file.findings {
            out.extend_from_slice(if self.first { b"\n  " } else { b",\n  " });
            self.first = false;
            json(f, out);
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}\n");
    }
}

#[derive(Default)]
pub(super) struct Ndjson {
    summary: Summary,
}

impl Render for Ndjson {
    fn begin(&mut self, totals: &Totals, _: &mut Vec<u8>) {
        self.summary = totals.summary;
    }
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        for f in &file.findings {
            json(f, out);
            out.push(b'\n');
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"format\":\"warifu.diagnostics/1\",\"end\":true,\"summary\":");
        json(&self.summary, out);
        out.extend_from_slice(b"}\n");
    }
}
