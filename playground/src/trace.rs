//! The trace both ways: which elements a field became, and which bytes an element came from.

use std::fmt::Write as _;

use crate::{
    json::{Json, Value},
    order::sort,
    settings::Lang,
    text::{CONSTANT, CONSTANT_PLAIN, WHOLE_FILE, join},
};

/// The mapping row that made an element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingRow {
    /// Name of the mapping table, `PID_TO_JP_PATIENT`.
    pub table: String,
    /// Source path in the table.
    pub source: String,
    /// Target path in the table.
    pub target: String,
    /// Official Japanese name.
    pub ja: String,
}

/// Bytes of one source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Index into [`TraceIndex::files`].
    pub file: u32,
    /// Byte range in that file.
    pub span: (u32, u32),
    /// HL7 path.
    pub path: String,
}

/// One element and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// JSON pointer of the element.
    pub pointer: String,
    /// The row; `None` for what the engine writes by itself.
    pub row: Option<MappingRow>,
    /// Sources; none for a constant.
    pub places: Vec<Place>,
}

/// A source field that no element was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unused {
    /// File.
    pub file: String,
    /// HL7 path.
    pub path: String,
    /// Byte range.
    pub span: (u32, u32),
    /// `ignored`, `lost` or `unknown`.
    pub reason: String,
    /// Reason or field in Japanese.
    pub ja: String,
    /// The same in English.
    pub en: String,
}

/// All hits of one result, findable from both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceIndex {
    /// Whether it came from the worker; before that nothing is known of any element.
    read: bool,
    /// Sorted by pointer.
    hits: Vec<Hit>,
    /// Source files by index.
    pub files: Vec<String>,
    /// `(file, start, end, hit)`, sorted.
    spans: Vec<(u32, u32, u32, u32)>,
    /// Source fields without an element.
    pub unused: Vec<Unused>,
}

impl TraceIndex {
    /// Reads `{hits, unused}`.
    pub fn read(trace: Value<'_>) -> Self {
        let mut out = Self {
            read: true,
            ..Self::default()
        };
        for hit in trace.get("hits").items() {
            let row = hit.get("row");
            let mut places = Vec::new();
            for span in hit.get("spans").items() {
                let file = out.file(&span.get("file").string());
                places.push(Place {
                    file,
                    span: (span.get("start").uint(), span.get("end").uint()),
                    path: span.get("path").string(),
                });
            }
            out.hits.push(Hit {
                pointer: hit.get("pointer").string(),
                row: row.get("table").text().map(|table| MappingRow {
                    table,
                    source: row.get("source").string(),
                    target: row.get("target").string(),
                    ja: row.get("ja").string(),
                }),
                places,
            });
        }
        out.unused = trace
            .get("unused")
            .items()
            .map(|u| Unused {
                file: u.get("file").string(),
                path: u.get("path").string(),
                span: u.get("span").pair(),
                reason: u.get("reason").string(),
                ja: u.get("ja").string(),
                en: u.get("en").string(),
            })
            .collect();
        out.index();
        out
    }

    /// Reads the same from JSON text; empty when it is not JSON.
    pub fn parse(bytes: Vec<u8>) -> Self {
        Json::parse(bytes)
            .map(|j| Self::read(j.root()))
            .unwrap_or_default()
    }

    fn file(&mut self, name: &str) -> u32 {
        let at = self
            .files
            .iter()
            .position(|f| f == name)
            .unwrap_or_else(|| {
                self.files.push(name.to_owned());
                self.files.len() - 1
            });
        crate::json::cut(at)
    }

    fn index(&mut self) {
        sort(&mut self.hits, |a, b| a.pointer < b.pointer);
        self.spans = self
            .hits
            .iter()
            .enumerate()
            .flat_map(|(i, h)| {
                h.places
                    .iter()
                    .map(move |p| (p.file, p.span.0, p.span.1, crate::json::cut(i)))
            })
            .collect();
        sort(&mut self.spans, |a, b| a < b);
    }

    /// Whether there is nothing to follow.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    /// Number of hits.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Hits made from any byte of `start..end` of a file, in pointer order.
    pub fn from_span(&self, file: &str, start: u32, end: u32) -> Vec<&Hit> {
        let Some(file) = self
            .files
            .iter()
            .position(|f| f == file)
            .map(crate::json::cut)
        else {
            return Vec::new();
        };
        let first = self.spans.partition_point(|s| s.0 < file);
        let mut found: Vec<u32> = self
            .spans
            .iter()
            .skip(first)
            .take_while(|s| s.0 == file && s.1 < end)
            .filter(|s| s.2 > start)
            .map(|s| s.3)
            .collect();
        sort(&mut found, |a, b| a < b);
        found.dedup();
        found
            .iter()
            .filter_map(|&i| self.hits.get(i as usize))
            .collect()
    }

    /// Hits of an element and of everything below it.
    pub fn from_pointer(&self, pointer: &str) -> Vec<&Hit> {
        let below = format!("{pointer}/");
        let first = self.hits.partition_point(|h| h.pointer.as_str() < pointer);
        let mut out: Vec<&Hit> = self
            .hits
            .iter()
            .skip(first)
            .take_while(|h| h.pointer == pointer)
            .collect();
        let first = self.hits.partition_point(|h| h.pointer < below);
        out.extend(
            self.hits
                .iter()
                .skip(first)
                .take_while(|h| h.pointer.starts_with(&below)),
        );
        out
    }

    /// Name of a source file.
    pub fn file_name(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or("", String::as_str)
    }
}

/// What is marked on both sides after following the trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Elements `(node, label)`, in document order.
    pub elements: Vec<(u32, String)>,
    /// Source bytes `(file, start, end)`, sorted, without repeats.
    pub spans: Vec<(String, u32, u32)>,
    /// Whether the walk began at a field (else at an element).
    pub from_field: bool,
    /// Text for the live region and the strip: where it began.
    pub origin: String,
}

impl Marks {
    /// Marks from a field: all elements made from its bytes.
    pub fn of_field(
        trace: &TraceIndex,
        json: &Json,
        file: &str,
        path: &str,
        span: (u32, u32),
    ) -> Self {
        let hits = trace.from_span(file, span.0, span.1);
        let mut elements: Vec<(u32, String)> = hits
            .iter()
            .filter_map(|h| {
                let label = sources(h, Some(file));
                json.find(&h.pointer).map(|n| (crate::json::cut(n), label))
            })
            .collect();
        sort(&mut elements, |a, b| a.0 < b.0);
        elements.dedup_by_key(|e| e.0);
        Self {
            elements,
            spans: vec![(file.to_owned(), span.0, span.1)],
            from_field: true,
            origin: path.to_owned(),
        }
    }

    /// Marks from an element: all its source bytes. A branch stands for its leaves.
    pub fn of_element(trace: &TraceIndex, json: &Json, node: usize, lang: Lang) -> Self {
        let pointer = json.pointer(node);
        let hits = trace.from_pointer(&pointer);
        let mut spans: Vec<(String, u32, u32)> = hits
            .iter()
            .flat_map(|h| h.places.iter())
            // A file as a whole (a withdrawal) has no row to mark.
            .filter(|p| p.span.0 < p.span.1)
            .map(|p| (trace.file_name(p.file).to_owned(), p.span.0, p.span.1))
            .collect();
        sort(&mut spans, |a, b| a < b);
        spans.dedup();
        let mut labels: Vec<String> = Vec::new();
        for hit in &hits {
            let label = if hit.places.is_empty() {
                constant_label(hit, lang)
            } else {
                let named = sources(hit, None);
                if named.is_empty() {
                    WHOLE_FILE.of(lang).to_owned()
                } else {
                    named
                }
            };
            if !label.is_empty() && !labels.contains(&label) {
                labels.push(label);
            }
        }
        // What no hit tells of, the output's frame is made of.
        let leaf = json
            .nodes()
            .get(node)
            .is_some_and(|n| !n.kind.is_container());
        if leaf && hits.is_empty() && trace.read {
            labels.push(CONSTANT_PLAIN.of(lang).to_owned());
        }
        let more = labels.len().saturating_sub(3);
        labels.truncate(3);
        let mut label = join(&labels, " ");
        if more > 0 {
            let _ = write!(label, " +{more}");
        }
        Self {
            elements: vec![(crate::json::cut(node), label)],
            spans,
            from_field: false,
            origin: json.fhir_path(node),
        }
    }

    /// Label of a marked node.
    pub fn label(&self, node: usize) -> Option<&str> {
        let node = crate::json::cut(node);
        self.elements
            .binary_search_by_key(&node, |e| e.0)
            .ok()
            .and_then(|i| self.elements.get(i))
            .map(|e| e.1.as_str())
    }

    /// Whether bytes of a file are marked.
    pub fn touches(&self, file: &str, start: u32, end: u32) -> bool {
        self.spans
            .iter()
            .any(|s| s.0 == file && s.1 < end && start < s.2)
    }

    /// Whether the marked spans cover the whole range of a row (so that the row is it, not around it).
    pub fn covers(&self, file: &str, start: u32, end: u32) -> bool {
        start < end
            && self
                .spans
                .iter()
                .any(|s| s.0 == file && s.1 <= start && end <= s.2)
    }

    /// Whether nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty() && self.spans.is_empty()
    }
}

/// `← PID-5[2].1`; sources in another file than the shown one get its data kind in front.
fn sources(hit: &Hit, _shown: Option<&str>) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for place in &hit.places {
        if !place.path.is_empty() && !paths.contains(&place.path.as_str()) {
            paths.push(&place.path);
        }
    }
    let more = paths.len().saturating_sub(3);
    paths.truncate(3);
    let mut out = join(&paths, " + ");
    if more > 0 {
        let _ = write!(out, " +{more}");
    }
    if out.is_empty() {
        out
    } else {
        format!("← {out}")
    }
}

/// `定数 (表 PID_TO_JP_PATIENT)`, or `変換が付けた値` for what the engine writes by itself.
pub fn constant_label(hit: &Hit, lang: Lang) -> String {
    match &hit.row {
        Some(row) if !row.table.is_empty() => CONSTANT.fill(lang, &[&row.table]),
        _ => CONSTANT_PLAIN.of(lang).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"hits":[
      {"pointer":"/name/1/family","row":{"table":"PID_TO_JP_PATIENT","source":"PID-5","target":"name","ja":"患者氏名"},"spans":[{"file":"f","start":243,"end":253,"path":"PID-5[2].1"}]},
      {"pointer":"/name/1/text","row":null,"spans":[{"file":"f","start":243,"end":253,"path":"PID-5[2].1"},{"file":"f","start":254,"end":260,"path":"PID-5[2].2"}]},
      {"pointer":"/name/10","row":null,"spans":[{"file":"g","start":243,"end":253,"path":"PID-5[2].1"}]},
      {"pointer":"/resourceType","row":{"table":"PID_TO_JP_PATIENT","source":"","target":"","ja":""},"spans":[]}],
      "unused":[{"file":"f","path":"PID-12","span":[3,4],"reason":"ignored","ja":"郡コード","en":"County"}]}"#;
    const DOC: &str =
        r#"{"resourceType":"Patient","name":[{"family":"a"},{"family":"b","text":"b c"}]}"#;

    fn both() -> (TraceIndex, Json) {
        (
            TraceIndex::parse(TRACE.into()),
            Json::parse(DOC.into()).unwrap(),
        )
    }

    #[test]
    fn a_field_marks_every_element_made_from_it() {
        let (t, j) = both();
        let m = Marks::of_field(&t, &j, "f", "PID-5[2].1", (243, 253));
        let marked: Vec<_> = m
            .elements
            .iter()
            .map(|(n, l)| (j.pointer(*n as usize), l.as_str()))
            .collect();
        assert_eq!(
            marked,
            [
                ("/name/1/family".into(), "← PID-5[2].1"),
                ("/name/1/text".into(), "← PID-5[2].1 + PID-5[2].2")
            ]
        );
        let m = Marks::of_field(&t, &j, "f", "PID-5[2].2", (254, 260));
        assert_eq!(m.elements.len(), 1);
        assert!(
            Marks::of_field(&t, &j, "f", "x", (253, 254))
                .elements
                .is_empty()
        );
        assert!(
            Marks::of_field(&t, &j, "nowhere", "x", (0, 999))
                .elements
                .is_empty()
        );
    }

    #[test]
    fn an_element_marks_all_its_spans() {
        let (t, j) = both();
        let m = Marks::of_element(&t, &j, j.find("/name/1/text").unwrap(), Lang::Ja);
        assert_eq!(m.spans, [("f".into(), 243, 253), ("f".into(), 254, 260)]);
        assert!(m.touches("f", 250, 251) && !m.touches("f", 253, 254) && !m.touches("g", 250, 251));
        assert!(m.covers("f", 243, 253) && !m.covers("f", 240, 253));
    }

    #[test]
    fn a_branch_stands_for_its_leaves_but_not_for_its_namesakes() {
        let (t, j) = both();
        let m = Marks::of_element(&t, &j, j.find("/name/1").unwrap(), Lang::Ja);
        assert_eq!(m.spans.len(), 2);
        assert!(m.spans.iter().all(|s| s.0 == "f"));
    }

    #[test]
    fn constants_name_their_table() {
        let (t, j) = both();
        let node = j.find("/resourceType").unwrap();
        let m = Marks::of_element(&t, &j, node, Lang::Ja);
        assert_eq!(m.label(node), Some("定数 (表 PID_TO_JP_PATIENT)"));
        assert_eq!(m.label(node + 1), None);
        let engine = Hit {
            pointer: String::new(),
            row: None,
            places: Vec::new(),
        };
        assert_eq!(constant_label(&engine, Lang::Ja), "変換が付けた値");
        assert_eq!(constant_label(&engine, Lang::En), "Set by the conversion");
        assert_eq!(t.unused[0].reason, "ignored");
    }
}
