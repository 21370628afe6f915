//! The playground's own trace, both ways, on every leaf of a fixture per data kind.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeMap;

use serde_json::Value;
use warifu_convert::{Job, JobOptions, Trace, TraceHit};
use warifu_playground::{
    json::Json,
    message::{self, Message},
    settings::Lang,
    trace::{Marks, TraceIndex},
};

/// A file as the worker hands it to the page: its message, its output, its trace.
fn shown(path: &str, bytes: &[u8]) -> (Message, Json, TraceIndex) {
    let mut job = Job::new(JobOptions {
        trace: true,
        ..JobOptions::default()
    })
    .unwrap();
    let made = job.convert(path, bytes);
    let view = warifu_report::view::view(bytes, job.options().charset(), None);
    (
        message::read(serde_json::to_vec(&view).unwrap()).unwrap(),
        Json::parse(made.json).unwrap(),
        index(&made.trace.unwrap()),
    )
}

/// The trace in the form of the worker: texts once, hits in the order of their pointers.
fn index(trace: &Trace) -> TraceIndex {
    let mut texts: [Vec<&str>; 3] = Default::default();
    let mut number = |of: usize, text| {
        let known = texts[of].iter().position(|t| *t == text);
        known.unwrap_or_else(|| {
            texts[of].push(text);
            texts[of].len() - 1
        })
    };
    let hits: Vec<TraceHit> = trace.hits.iter().collect();
    let mut sorted: Vec<&TraceHit> = hits.iter().collect();
    sorted.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    let hits: Vec<Value> = sorted
        .into_iter()
        .map(|hit| {
            let table = hit.row.as_ref().map_or(0, |r| number(2, &r.table) + 1);
            let mut items: Vec<Value> = vec![hit.pointer.as_str().into(), table.into()];
            for s in &hit.spans {
                items.push(number(0, s.file.as_str()).into());
                items.extend([s.start, s.end].map(Value::from));
                items.push(number(1, s.path.as_str()).into());
            }
            Value::from(items)
        })
        .collect();
    let [files, paths, tables] = texts;
    let piece = serde_json::json!({
        "files": files, "paths": paths, "tables": tables, "hits": hits, "unused": trace.unused
    });
    let mut index = TraceIndex::default();
    index.add_text(serde_json::to_vec(&piece).unwrap());
    index
}

#[test]
fn every_leaf_of_every_data_kind_leads_to_its_field_and_back() {
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for file in common::load(&common::fixtures().join("standard_root")) {
        let kind = file.path.rsplit('/').nth(1).unwrap().to_owned();
        let (message, json, trace) = shown(&file.path, &file.bytes);
        let (traced, constant) = kinds.entry(kind).or_default();
        for (node, _) in json
            .nodes()
            .iter()
            .enumerate()
            .filter(|(_, n)| !n.kind.is_container())
        {
            let at = format!("{} {}", file.path, json.pointer(node));
            let marks = Marks::of_element(&trace, &json, node, Lang::Ja);
            let label = marks.label(node).unwrap();
            if marks.spans.is_empty() {
                assert!(
                    label.starts_with("定数 (表 ")
                        || label == "変換が付けた値"
                        || label == "← ファイル全体",
                    "{at}: {label}"
                );
                *constant += 1;
                continue;
            }
            assert!(label.starts_with("← "), "{at}: {label}");
            for (source, start, end) in &marks.spans {
                assert_eq!(source, &file.path, "{at}");
                // The field tree has a row that is marked, and the row leads back to the leaf.
                let row = &message.rows[message.row_at(*start, *end).unwrap()];
                assert!(
                    row.span.0 <= *start && *end <= row.span.1 && row.depth > 0,
                    "{at}: {}",
                    row.path
                );
                let back = Marks::of_field(&trace, &json, source, &row.path, row.span);
                assert!(
                    back.label(node).is_some(),
                    "{at}: {} leads elsewhere",
                    row.path
                );
            }
            *traced += 1;
        }
    }
    assert_eq!(kinds.len(), 26, "{kinds:?}");
    for (kind, (traced, constant)) in kinds {
        assert!(
            traced >= 5 && constant >= 5,
            "{kind}: {traced} traced, {constant} constant"
        );
    }
}
