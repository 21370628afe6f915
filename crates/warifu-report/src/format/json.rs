//! `json` and `ndjson`: `warifu.diagnostics/1`.

use super::{Context, Render, json};
use crate::Lang;
use crate::position::Units;
use crate::report::{FileReport, Summary, Totals};

/// Totals by rule and data kind, as a member that follows another one, `gap` before each; nothing unless they
/// are asked for.
fn statistics(wanted: bool, totals: &Totals, gap: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if !wanted {
        return out;
    }
    out.extend_from_slice(b",\"statistics\":[");
    for (n, ((code, kind), [e, w, i])) in totals.kinds.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(gap.as_bytes());
        out.extend_from_slice(b"{\"code\":");
        json(code, &mut out);
        if !kind.is_empty() {
            out.extend_from_slice(b",\"kind\":");
            json(kind, &mut out);
        }
        let counts = format!(",\"errors\":{e},\"warnings\":{w},\"infos\":{i}}}");
        out.extend_from_slice(counts.as_bytes());
    }
    out.push(b']');
    out
}

pub(super) struct Json {
    context: Context,
    first: bool,
    statistics: Vec<u8>,
}

impl Json {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            first: true,
            statistics: Vec::new(),
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
        self.statistics = statistics(self.context.statistics, totals, "\n  ");
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
        out.push(b']');
        out.append(&mut self.statistics);
        out.extend_from_slice(b"}\n");
    }
}

pub(super) struct Ndjson {
    wanted: bool,
    summary: Summary,
    statistics: Vec<u8>,
}

impl Ndjson {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            wanted: context.statistics,
            summary: Summary::default(),
            statistics: Vec::new(),
        }
    }
}

impl Render for Ndjson {
    fn begin(&mut self, totals: &Totals, _: &mut Vec<u8>) {
        self.summary = totals.summary;
        self.statistics = statistics(self.wanted, totals, "");
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
        out.append(&mut self.statistics);
        out.extend_from_slice(b"}\n");
    }
}
