//! One function a target: it takes any bytes and panics when something that must always hold does
//! not.
//!
//! Every input has one form, so that one set of seeds serves all targets: a byte of switches, a path,
//! LF, the content of a file. Without LF all is content.

#![allow(unreachable_pub, reason = "a module of two crates")]

use std::ops::Range;

use bumpalo::Bump;
use warifu_hl7::text::{TextMessage, parse_path};
use warifu_hl7::{Index, Message, Part, split_stream};
use warifu_map::assemble::{self, BundleType};
use warifu_map::{Converter, File, IdMode, Options, Output, clins, trace};
use warifu_source::{Charset, Notes, check, decode_into, detect, escape_at, normalise_for_compare};
use warifu_ssmix2::index::{Column, IndexTable};
use warifu_ssmix2::journal::Splitter;
use warifu_ssmix2::{FileName, JournalName, Place, RecordHeader, components, locate, select};

/// An input taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i> {
    /// Switches.
    pub flags: u8,
    /// A path, or text of the target's own.
    pub path: &'i str,
    /// Content of a file.
    pub bytes: &'i [u8],
}

impl<'i> Input<'i> {
    fn of(data: &'i [u8]) -> Self {
        let Some((flags, rest)) = data.split_first() else {
            return Self {
                flags: 0,
                path: "",
                bytes: data,
            };
        };
        let cut = rest.iter().take(1024).position(|b| *b == b'\n');
        let (path, bytes) = match cut {
            Some(at) => (
                rest.get(..at).unwrap_or_default(),
                rest.get(at + 1..).unwrap_or_default(),
            ),
            None => (&[][..], rest),
        };
        Self {
            flags: *flags,
            path: std::str::from_utf8(path).unwrap_or(""),
            bytes,
        }
    }
    fn has(self, bit: u8) -> bool {
        self.flags & (1 << bit) != 0
    }
    /// `None` lets the bytes decide.
    fn charset(self) -> Option<Charset> {
        match self.flags & 7 {
            4 => Some(Charset::Iso2022Jp),
            5 => Some(Charset::Utf8),
            6 => Some(Charset::Cp932),
            7 => Some(Charset::EucJp),
            _ => None,
        }
    }
}

/// The input that stands for a file.
pub fn seed(flags: u8, path: &str, bytes: &[u8]) -> Vec<u8> {
    [&[flags], path.as_bytes(), b"\n", bytes].concat()
}

fn int(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// `inner` is a range that lies in `outer`.
fn inside(inner: (u32, u32), outer: (u32, u32), what: &str) {
    assert!(
        inner.0 <= inner.1 && inner.0 >= outer.0 && inner.1 <= outer.1,
        "{what}: {inner:?} is not in {outer:?}"
    );
}

/// At most about `n` of the positions of a text: enough to find a wrong map, few enough to stay fast.
fn samples(range: Range<usize>, n: usize) -> impl Iterator<Item = usize> {
    let step = (range.len() / n).max(1);
    range.step_by(step)
}

/// Bytes → text: both readers agree, the map stays inside, notes are bounded.
pub fn decode(data: &[u8]) {
    let input = Input::of(data);
    let bytes = input.bytes;
    let length = int(bytes.len());
    let detected = detect(bytes);
    assert_eq!(detected, detect(bytes));
    let charset = input.charset().unwrap_or(detected);
    let decoded = warifu_source::decode(bytes, charset);
    let mut text = String::new();
    decode_into(bytes, charset, &mut text);
    assert_eq!(text, decoded.text, "the two readers differ");
    assert!(
        text.len() <= 3 * bytes.len(),
        "text is bounded by the input"
    );
    let mut last = 0;
    for at in samples(0..text.len() + 1, 512) {
        let byte = decoded.byte_at(at);
        assert!(byte >= last && byte <= length, "the map goes back or out");
        last = byte;
        let back = decoded.text_at(byte);
        assert!(text.is_char_boundary(back));
        assert!(decoded.text_at(length) <= text.len());
        let range = decoded.byte_range(at..text.len().min(at + 7));
        inside((range.start, range.end), (0, length), "byte range");
    }
    let mut notes = Notes::new();
    check(bytes, 0, charset, &mut notes);
    for note in notes.items() {
        inside((note.start, note.end), (0, length), "note");
    }
    assert!(notes.items().len() <= 100 * warifu_source::NoteKind::ALL.len());
    let _ = escape_at(bytes);
    if text.len() < 4096 {
        let _ = normalise_for_compare(&text);
    }
}

fn walk(part: Part<'_>, outer: (u32, u32), depth: usize) {
    let span = part.span();
    inside(span, outer, "part");
    let value = part.value();
    if value.end > 0 {
        inside((value.start, value.end), span, "value");
    }
    let _ = part.text();
    assert_eq!(value, part.value());
    match depth {
        0 => part.reps().for_each(|p| walk(p, span, 1)),
        1 => part.comps().for_each(|p| walk(p, span, 2)),
        2 => part.subs().for_each(|p| walk(p, span, 3)),
        _ => {
            let _ = warifu_hl7::time::parse(value.text);
        }
    }
}

/// Bytes → index: segments follow each other, parts lie in what they are part of.
pub fn parse(data: &[u8]) {
    let input = Input::of(data);
    let mut index = Index::new();
    let mut end_before = 0;
    for (start, end) in split_stream(input.bytes) {
        assert!(start >= end_before && start <= end && end <= input.bytes.len());
        end_before = end;
        let bytes = input.bytes.get(start..end).unwrap_or_default();
        index.build(bytes, input.charset());
        one_message(bytes, &index);
    }
    index.build(input.bytes, input.charset());
    one_message(input.bytes, &index);
}

fn one_message(bytes: &[u8], index: &Index) {
    let length = int(bytes.len());
    for note in index.notes() {
        inside((note.start, note.end), (0, length), "note");
    }
    let arena = Bump::new();
    let message = Message::new(bytes, index, &arena, 3);
    let mut last = 0;
    for segment in message.segments() {
        let span = segment.span();
        inside(span, (last, length), "segment");
        last = span.1;
        let mut field_before = span.0;
        for (n, field) in segment.fields() {
            let at = field.span();
            assert!(at.0 >= field_before, "fields overlap");
            // MSH-1 is the separator itself.
            field_before = at.0;
            walk(field, span, 0);
            if field.is_some() && n > 2 {
                assert!(message.locate(at.0).is_some(), "a field has no path");
            }
        }
    }
    assert!(index.field_count() <= bytes.len() + 2 * index.segment_count() + 2);
}

/// Paths and cursors over decoded text (`hl7-parser`): the path is the first line.
pub fn path_query(data: &[u8]) {
    let input = Input::of(data);
    let _ = parse_path(input.path);
    let length = int(input.bytes.len());
    let mut index = Index::new();
    index.build(input.bytes, input.charset());
    let message = TextMessage::new(input.bytes, &index);
    let found = message.query(input.path);
    assert_eq!(found, message.query(input.path));
    for range in found.into_iter().flatten() {
        inside((range.start, range.end), (0, length), "answer");
    }
    for at in samples(0..message.text().len() + 1, 16) {
        if let Some(path) = message.locate(at)
            && let Ok(ranges) = message.query(&path)
        {
            for range in ranges {
                inside((range.start, range.end), (0, length), "place");
            }
        }
    }
}

/// Names and paths of storages; the content is a list of names, one a line.
pub fn storage_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut names = Vec::new();
    for line in text.lines().take(512) {
        let parts: Vec<&str> = components(line).collect();
        if let Place::Item(item) = locate(&parts) {
            let _ = (
                item.notes(),
                item.key().to_string(),
                item.name().is_ok(),
                item.is_extended(),
            );
        }
        let _ = JournalName::parse(line);
        if let Ok(header) = RecordHeader::parse(line) {
            let _ = (header.key().to_string(), header.institution_number());
        }
        let leaf = parts.last().copied().unwrap_or(line);
        if let Ok(name) = FileName::parse(leaf) {
            let printed = name.to_string();
            let again = FileName::parse(&printed);
            assert!(again.is_ok(), "what a name prints is a name");
            if let Ok(again) = again {
                assert_eq!(again.key(), name.key(), "printing keeps the key");
                assert_eq!(again.flag, name.flag);
            }
            let _ = (name.notes(), name.data_kind(), name.department_code());
            names.push(name);
        }
    }
    let selection = select(&names);
    assert_eq!(selection, select(&names));
    assert_eq!(selection.outcomes.len(), names.len());
    let mut order = selection.order.clone();
    order.sort_unstable();
    assert!(
        order.iter().copied().eq(0..names.len()),
        "every file is processed once"
    );
    for note in &selection.notes {
        assert!(note.file < names.len() && note.other.is_none_or(|o| o < names.len()));
    }
}

/// A transaction stream gives the same records however it is cut; an index table ends.
pub fn journal(data: &[u8]) {
    let input = Input::of(data);
    let all = records(input.bytes, usize::MAX);
    let cut = usize::from(input.flags) + 1;
    assert_eq!(
        all,
        records(input.bytes, cut),
        "pieces of {cut} bytes give other records"
    );
    let kept: usize = all.iter().map(|r| r.1.len() + r.2.len()).sum();
    assert!(kept <= input.bytes.len());
    let text = String::from_utf8_lossy(input.bytes);
    if let Ok(table) = IndexTable::new(&text) {
        let mut rows = 0;
        for row in table {
            rows += 1;
            let _ = (row.get(Column::PatientId), row.relative_path(), row.notes());
        }
        assert!(rows <= text.len());
    }
}

/// Offset, header, message, bytes dropped.
type Records = Vec<(u64, Vec<u8>, Vec<u8>, u64)>;

fn records(bytes: &[u8], piece: usize) -> Records {
    let mut splitter = Splitter::new();
    let mut out = Records::new();
    let take = |splitter: &mut Splitter, out: &mut Records| {
        while let Some(r) = splitter.next_record() {
            out.push((r.offset, r.header.to_vec(), r.message.to_vec(), r.dropped));
        }
    };
    for piece in bytes.chunks(piece.min(bytes.len()).max(1)) {
        splitter.push(piece);
        take(&mut splitter, &mut out);
    }
    splitter.finish();
    take(&mut splitter, &mut out);
    out
}

fn options(input: Input<'_>, trace: bool) -> Options {
    Options {
        institution: input.has(3).then(|| "1319999999".to_owned()),
        ids: if input.has(4) {
            IdMode::Readable
        } else {
            IdMode::Keyed
        },
        provenance: input.has(6),
        clins: input.has(7),
        charset: input.charset(),
        trace,
        ..Options::default()
    }
}

/// A file → resources: JSON, the same each time, with trace or without, sources inside the file.
pub fn convert(data: &[u8]) {
    let input = Input::of(data);
    whole(input, input.path);
}

const FOLDER: &str = "000/099/0000990001/20260425/DS01^退院時サマリー^99WRF^18842-5^退院時サマリー^LN/0000990001_20260425_DS01^退院時サマリー^99WRF^18842-5^退院時サマリー^LN_260425DS001_20260430171500500_06_1";

/// The same in a content folder of the extended storage: CDA, PDF, images, anything.
pub fn document(data: &[u8]) {
    let input = Input::of(data);
    let leaf = input.path.rsplit('/').next().unwrap_or("");
    whole(input, &format!("{FOLDER}/{leaf}"));
}

fn whole(input: Input<'_>, path: &str) {
    let file = File {
        path,
        bytes: input.bytes,
    };
    let mut out = Output::new();
    let mut traced = Converter::new(options(input, true));
    traced.convert(file, 7, &mut out);
    check_output(&out, &[input.bytes], 7);
    // Memory that was used before changes nothing.
    let first = (out.json.clone(), out.diagnostics.len(), out.unused.len());
    out.clear();
    traced.convert(file, 7, &mut out);
    assert!(first.0 == out.json, "the second conversion differs");
    assert_eq!(
        (first.1, first.2),
        (out.diagnostics.len(), out.unused.len())
    );
    let mut plain = Output::new();
    let mut converter = Converter::new(options(input, false));
    converter.convert(file, 7, &mut plain);
    assert!(plain.json == out.json, "tracing changes the output");
    assert_eq!(
        plain.diagnostics.len(),
        out.diagnostics.len(),
        "tracing changes the findings"
    );
    if input.has(7) {
        for part in clins::parts(&mut out, traced.options()) {
            lines_are_json(&part.bytes);
        }
    }
    let mut record = Output::new();
    traced.convert_patient(&[file], &mut record);
    check_output(&record, &[input.bytes], 0);
    for kind in [BundleType::Transaction, BundleType::Collection] {
        let mut bytes = Vec::new();
        assemble::bundle(&record, traced.options(), kind, &mut bytes);
        lines_are_json(&bytes);
    }
    let mut lines = Vec::new();
    assemble::ndjson(&record, &mut lines);
    lines_are_json(&lines);
}

fn lines_are_json(bytes: &[u8]) {
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        if let Err(e) = serde_json::from_slice::<serde_json::Value>(line) {
            panic!("not JSON: {e}");
        }
    }
}

/// JSON without empty values, ids that FHIR allows, spans inside the file. An empty document is its byte 0.
fn check_output(out: &Output, files: &[&[u8]], first: u16) {
    let length = |n: u32| -> u32 {
        let at = n
            .checked_sub(u32::from(first))
            .and_then(|n| usize::try_from(n).ok());
        at.and_then(|n| files.get(n))
            .map_or(0, |f| int(f.len()).max(1))
    };
    for d in &out.diagnostics {
        inside(
            (d.span.start, d.span.end),
            (0, length(d.span.source.0)),
            d.code.code,
        );
    }
    for u in &out.unused {
        inside(
            (u.start, u.end),
            (0, length(u32::from(u.message))),
            "unused field",
        );
    }
    for s in out
        .used
        .iter()
        .chain(out.lost.iter().map(|(s, _)| s))
        .filter(|s| s.is_some())
    {
        inside(
            (s.start, s.end),
            (0, length(u32::from(s.message))),
            "used field",
        );
    }
    for r in &out.resources {
        let value: serde_json::Value = match serde_json::from_slice(out.json_of(r)) {
            Ok(value) => value,
            Err(e) => panic!("{} is not JSON: {e}", r.resource_type),
        };
        assert_eq!(
            value.get("resourceType").and_then(|t| t.as_str()),
            Some(r.resource_type)
        );
        let id = r.id.as_str();
        assert!(
            !id.is_empty()
                && id.len() <= 64
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
            "illegal id of {}",
            r.resource_type
        );
        no_empty_value(&value, r.resource_type);
        for hit in trace::hits(out, r) {
            assert!(
                value.pointer(&hit.pointer).is_some(),
                "{} does not exist",
                hit.pointer
            );
            for s in hit.spans {
                inside(
                    (s.start, s.end),
                    (0, length(u32::from(s.message))),
                    &hit.pointer,
                );
            }
        }
    }
}

fn no_empty_value(value: &serde_json::Value, at: &str) {
    match value {
        serde_json::Value::Object(members) => {
            assert!(!members.is_empty(), "empty object in {at}");
            for (key, value) in members {
                no_empty_value(value, key);
            }
        }
        serde_json::Value::Array(items) => {
            assert!(!items.is_empty(), "empty array in {at}");
            for value in items {
                no_empty_value(value, at);
            }
        }
        serde_json::Value::String(text) => assert!(!text.trim().is_empty(), "blank text in {at}"),
        serde_json::Value::Null => panic!("null in {at}"),
        _ => {}
    }
}

/// FHIR as JSON: the tree is sound, and what is compiled from the path is evaluated within its limits.
pub fn fhirpath(data: &[u8]) {
    let input = Input::of(data);
    let core = warifu_r4::Core::builtin();
    let limits = warifu_json::Limits {
        depth: 100,
        nodes: 100_000,
        issues: 20,
    };
    let parsed = warifu_json::parse(input.bytes, limits, core);
    let tree = &parsed.tree;
    let end = u32::try_from(input.bytes.len()).unwrap_or(u32::MAX);
    for issue in &parsed.issues {
        assert!(
            issue.span.start <= issue.span.end && issue.span.end <= end,
            "{issue:?}"
        );
    }
    for id in 0..tree.len() {
        let span = tree.span(id);
        assert!(span.start <= span.end && span.end <= end);
        assert!(tree.after(id) > id && tree.after(id) <= tree.len());
        let _ = (tree.key(id), tree.text(id));
    }
    let typed = warifu_r4::annotate(core, tree, None);
    assert_eq!(typed.len(), usize::try_from(tree.len()).unwrap_or(0));
    let engine = warifu_fhirpath::Engine::new(core);
    let Ok(program) = engine.compile(input.path, warifu_fhirpath::Bounds::DEFAULT) else {
        return;
    };
    if tree.is_empty() {
        return;
    }
    let doc = warifu_fhirpath::Doc {
        tree,
        typed: &typed,
    };
    let mut env = warifu_fhirpath::Env::new(doc);
    env.limits = warifu_fhirpath::Limits {
        work: 200_000,
        values: 20_000,
        text: 20_000,
    };
    let root = warifu_fhirpath::Item::root(doc, warifu_json::ROOT);
    let _ = engine.check(&program, root.of);
    let mut evaluator = warifu_fhirpath::Evaluator::new(&engine, env);
    let focus = warifu_fhirpath::Value::Item(root);
    if let Ok(values) = evaluator.evaluate(&program, focus) {
        assert!(values.len() <= 20_000);
    }
}
