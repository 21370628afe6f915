//! The trace both ways: which elements a field became, and which bytes an element came from.

use std::fmt::Write as _;

use crate::{
    json::{Finder, Json, Value, cut},
    order::sort,
    settings::Lang,
    text::{CONSTANT, CONSTANT_PLAIN, WHOLE_FILE, join},
};

/// Bytes of one source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index into [`TraceIndex::files`].
    pub file: u32,
    /// Byte range in that file.
    pub span: (u32, u32),
    /// HL7 path, as an index into those of the trace.
    path: u32,
}

/// One element and what it was made from. A large message has millions: texts that many share are
/// kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// JSON pointer of the element, as a range of the text of all.
    pointer: (u32, u32),
    /// The mapping table, as a number from 1; 0 for what the engine writes by itself.
    table: u32,
    /// Its sources, as a range; empty for a constant.
    places: (u32, u32),
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
    /// The pointers of the hits, one behind another.
    pointers: String,
    places: Vec<Place>,
    paths: Vec<String>,
    tables: Vec<String>,
    /// Source files by index.
    pub files: Vec<String>,
    /// Source fields without an element.
    pub unused: Vec<Unused>,
}

impl TraceIndex {
    /// Adds a piece: `{files, paths, tables, hits, unused}`, of texts the new ones, and the hits as
    /// `[pointer, table, file, start, end, path, …]`, those of all pieces in the order of their pointers.
    pub fn add(&mut self, piece: Value<'_>) {
        self.read = true;
        for (texts, name) in [
            (&mut self.files, "files"),
            (&mut self.paths, "paths"),
            (&mut self.tables, "tables"),
        ] {
            texts.extend(piece.get(name).items().map(Value::string));
        }
        for hit in piece.get("hits").items() {
            let mut items = hit.items();
            let (from, first) = (cut(self.pointers.len()), cut(self.places.len()));
            if let Some(pointer) = items.next() {
                self.pointers.push_str(&pointer.string());
            }
            let table = items.next().map_or(0, Value::uint);
            while let Some(file) = items.next() {
                let mut number = || items.next().map_or(0, Value::uint);
                self.places.push(Place {
                    file: file.uint(),
                    span: (number(), number()),
                    path: number(),
                });
            }
            self.hits.push(Hit {
                pointer: (from, cut(self.pointers.len())),
                table,
                places: (first, cut(self.places.len())),
            });
        }
        let unused = piece.get("unused").items().map(|u| Unused {
            file: u.get("file").string(),
            path: u.get("path").string(),
            span: u.get("span").pair(),
            reason: u.get("reason").string(),
            ja: u.get("ja").string(),
            en: u.get("en").string(),
        });
        self.unused.extend(unused);
    }

    /// Adds a piece of JSON text; nothing when it is not JSON.
    pub fn add_text(&mut self, bytes: Vec<u8>) {
        if let Ok(json) = Json::parse(bytes) {
            self.add(json.root());
        }
    }

    /// Sources of a hit.
    pub fn places(&self, hit: &Hit) -> &[Place] {
        let (from, to) = hit.places;
        self.places
            .get(from as usize..to as usize)
            .unwrap_or_default()
    }

    /// HL7 path of a source.
    pub fn path(&self, place: &Place) -> &str {
        self.paths
            .get(place.path as usize)
            .map_or("", String::as_str)
    }

    fn pointer(&self, hit: &Hit) -> &str {
        let (from, to) = hit.pointer;
        self.pointers
            .get(from as usize..to as usize)
            .unwrap_or_default()
    }

    /// The table whose row made an element, unless the engine wrote it by itself.
    fn table(&self, hit: &Hit) -> Option<&str> {
        let at = (hit.table as usize).checked_sub(1)?;
        self.tables.get(at).map(String::as_str)
    }

    /// Whether it came from the worker.
    pub const fn is_read(&self) -> bool {
        self.read
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
        let Some(file) = self.files.iter().position(|f| f == file).map(cut) else {
            return Vec::new();
        };
        let meant = |p: &Place| p.file == file && p.span.0 < end && start < p.span.1;
        self.hits
            .iter()
            .filter(|h| self.places(h).iter().any(meant))
            .collect()
    }

    /// Hits of an element and of everything below it.
    pub fn from_pointer(&self, pointer: &str) -> Vec<&Hit> {
        let below = format!("{pointer}/");
        let from = |first: &str| {
            let first = self.hits.partition_point(|h| self.pointer(h) < first);
            self.hits.iter().skip(first)
        };
        from(pointer)
            .take_while(|h| self.pointer(h) == pointer)
            .chain(from(&below).take_while(|h| self.pointer(h).starts_with(&below)))
            .collect()
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

/// So many leaves of a branch are named.
const LABELLED: usize = 1_000;

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
        let mut finder = Finder::new(json);
        let mut elements: Vec<(u32, String)> = hits
            .iter()
            .filter_map(|h| {
                let node = finder.find(trace.pointer(h))?;
                Some((cut(node), sources(trace, h)))
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
        let mut spans: Vec<(u32, u32, u32)> = hits
            .iter()
            .flat_map(|h| trace.places(h))
            // A file as a whole (a withdrawal) has no row to mark.
            .filter(|p| p.span.0 < p.span.1)
            .map(|p| (p.file, p.span.0, p.span.1))
            .collect();
        sort(&mut spans, |a, b| a < b);
        spans.dedup();
        let spans = spans
            .iter()
            .map(|s| (trace.file_name(s.0).to_owned(), s.1, s.2))
            .collect();
        let mut labels: Vec<String> = Vec::new();
        // Of a branch with more leaves than anybody reads the labels are not all counted.
        for hit in hits.iter().take(LABELLED) {
            let label = if trace.places(hit).is_empty() {
                constant_label(trace, hit, lang)
            } else {
                let named = sources(trace, hit);
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
            if hits.len() > LABELLED {
                label.push('…');
            }
        }
        Self {
            elements: vec![(cut(node), label)],
            spans,
            from_field: false,
            origin: json.fhir_path(node),
        }
    }

    /// Label of a marked node.
    pub fn label(&self, node: usize) -> Option<&str> {
        let node = cut(node);
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

/// `← PID-5[2].1`
fn sources(trace: &TraceIndex, hit: &Hit) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for place in trace.places(hit) {
        let path = trace.path(place);
        if !path.is_empty() && !paths.contains(&path) {
            paths.push(path);
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
fn constant_label(trace: &TraceIndex, hit: &Hit, lang: Lang) -> String {
    match trace.table(hit) {
        Some(table) if !table.is_empty() => CONSTANT.fill(lang, &[table]),
        _ => CONSTANT_PLAIN.of(lang).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"hits":[
      ["/name/1/family",1,0,243,253,0],
      ["/name/1/text",0,0,243,253,0,0,254,260,1]],
      "files":["f"],"paths":["PID-5[2].1","PID-5[2].2"],"tables":["PID_TO_JP_PATIENT"],"unused":[]}"#;
    /// What comes behind it.
    const REST: &str = r#"{"hits":[
      ["/name/10",0,1,243,253,0],
      ["/resourceType",1],
      ["/status",0]],
      "files":["g"],
      "unused":[{"file":"f","path":"PID-12","span":[3,4],"reason":"ignored","ja":"郡コード","en":"County"}]}"#;
    const DOC: &str =
        r#"{"resourceType":"Patient","name":[{"family":"a"},{"family":"b","text":"b c"}]}"#;

    fn index() -> TraceIndex {
        let mut index = TraceIndex::default();
        for piece in [TRACE, REST] {
            index.add_text(piece.into());
        }
        index
    }

    fn both() -> (TraceIndex, Json) {
        (index(), Json::parse(DOC.into()).unwrap())
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
        let engine = t.from_pointer("/status")[0];
        assert_eq!(constant_label(&t, engine, Lang::Ja), "変換が付けた値");
        assert_eq!(
            constant_label(&t, engine, Lang::En),
            "Set by the conversion"
        );
        assert_eq!(t.unused[0].reason, "ignored");
    }
}
