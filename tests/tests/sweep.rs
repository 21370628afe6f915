//! No silent loss: a mark of its own is put into each component, sub-component and repetition of each
//! field of a fixture of each kind, field by field, and must be in the output or lie in what a finding
//! tells.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use warifu_hl7::{Index, Message};
use warifu_map::table::{Action, Ignored};
use warifu_map::{Converter, File, Options, Output};
use warifu_terms::fields;

/// Components of the longest data type that a row reads (XCN has 23), and one that no type has.
const COMPONENTS: usize = 16;

/// Name of the mutations that put another component into the place of the right one.
const INSTEAD: &str = "instead";

/// Components that may be others without a word, `(segment, fields, component, kinds)`; no kind stands for
/// all, and 0 for a second component alone.
const SAID_OTHERWISE: &[(&str, &[usize], usize, &[&str])] = &[
    // The name of a code of HL7's own table: the table has it, and `warifu check` tells one that is
    // another code's (SSM315).
    ("AL1", &[2], 2, &[]),
    ("IAM", &[2, 4, 6, 17], 2, &[]),
    ("ORC", &[29], 2, &[]),
    ("TQ1", &[9], 2, &[]),
    // As that of JSHR's: the beginning of an examination, a drug.
    ("OBX", &[3], 2, &["OMG-11"]),
    // What a telephone number would be used for.
    ("NK1", &[5, 6], 0, &[]),
    ("ORC", &[23], 0, &[]),
    ("PID", &[13, 14], 0, &[]),
    // A table without a code of it.
    ("RXA", &[9], 3, &[]),
    ("RXE", &[7], 3, &[]),
    ("RXR", &[2], 3, &[]),
    // The sender's table of a unit that has the same code in UCUM or MERIT-9.
    ("OBX", &[6], 3, &[]),
    ("RXA", &[7], 3, &[]),
    ("RXC", &[4], 3, &[]),
    ("RXE", &[5, 11, 24], 3, &[]),
];

fn converter() -> Converter {
    Converter::new(Options {
        institution: Some("1319999999".to_owned()),
        ..Options::default()
    })
}

/// A fixture of each kind, `(kind, path, bytes)`.
fn samples() -> Vec<(String, String, Vec<u8>)> {
    let mut found: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    for f in common::load(&common::fixtures().join("standard_root")) {
        let Some(name) = f.path.rsplit('/').next().filter(|n| n.ends_with("_1")) else {
            continue;
        };
        let kind = name.split('_').nth(2).unwrap().to_owned();
        let withdraws = f.bytes.windows(4).any(|w| w == b"^A23" || w == b"^A11");
        // The one that says the most.
        let longer = found
            .get(&kind)
            .is_none_or(|(_, b)| b.len() < f.bytes.len());
        if !withdraws && longer {
            found.insert(kind, (f.path, f.bytes));
        }
    }
    let vital = common::load(&common::fixtures().join("extended_root"));
    let vital = vital
        .into_iter()
        .find(|f| f.bytes.windows(4).any(|w| w == b"^R30"));
    let vital = vital.map(|f| ("R30".to_owned(), (f.path, f.bytes)));
    let all = found.into_iter().chain(vital);
    all.map(|(kind, (path, bytes))| (kind, path, bytes))
        .collect()
}

/// Fields without content that a kind leaves alone: when a snapshot was recorded, what is to be done
/// with an entry, the number of a line and its state where no result is made of it; no kind stands for all.
const OF_TRANSPORT: &[(&[&str], &str, usize)] = &[
    (&["ADT-00", "ADT-61"], "EVN", 2),
    // When a plan was to be; PV2-8, PV2-9 say it.
    (&[], "EVN", 3),
    (&[], "PID", 33),
];

/// Fields that all rows which name them leave alone on purpose. What says the same as another field
/// (`same`, `beside`) is none of them: it must be kept where it says something else.
fn left_alone() -> BTreeSet<([u8; 3], usize)> {
    let rows = || warifu_map::kinds::tables().flat_map(|t| t.rows);
    let alone = |action: Action| {
        matches!(
            action,
            Action::Ignored(Ignored::Structural | Ignored::Protected | Ignored::Deprecated)
        )
    };
    rows()
        .filter(|row| {
            rows()
                .filter(|r| r.segment == row.segment && r.field == row.field)
                .all(|r| alone(r.action))
        })
        .map(|row| (row.segment, usize::from(row.field)))
        .collect()
}

/// Marks with a name of how they stand in the field: `(mode, text of the field)`.
fn mutations(field: &str) -> Vec<(String, String)> {
    let marks = |letter: char| {
        let each = (1..=COMPONENTS).map(|n| format!("QZ{letter}{n}Q"));
        each.collect::<Vec<_>>().join("^")
    };
    let triplets = [
        "QZT1Q^QZT2Q^QZT3Q",
        "QZT1Q^QZT2Q^QZT3Q^QZT4Q^QZT5Q^QZT6Q",
        "^QZT2Q",
        "^^^QZT4Q^QZT5Q^QZT6Q",
    ];
    if field.is_empty() {
        let whole = triplets.map(|t| (format!("as {t}"), t.to_owned()));
        let all = vec![
            ("value".to_owned(), "QZA1Q".to_owned()),
            ("components".to_owned(), marks('C')),
        ];
        return all.into_iter().chain(whole).collect();
    }
    let mut all = vec![
        ("repetition".to_owned(), format!("{field}~QZR1Q")),
        (
            "repetition of components".to_owned(),
            format!("{field}~{}", marks('R')),
        ),
    ];
    let first = field.split('~').next().unwrap();
    let rest = &field[first.len()..];
    let components: Vec<&str> = first.split('^').collect();
    let filled = (0..COMPONENTS).map(|i| match components.get(i) {
        Some(c) if !c.is_empty() => (*c).to_owned(),
        _ => format!("QZF{}Q", i + 1),
    });
    let filled: Vec<String> = filled.collect();
    all.push(("components".to_owned(), filled.join("^") + rest));
    let with = |at: usize, text: String| {
        let mut all: Vec<String> = components.iter().map(|c| (*c).to_owned()).collect();
        all.resize(all.len().max(at + 1), String::new());
        all[at] = text;
        all.join("^") + rest
    };
    for i in 0..COMPONENTS {
        let said = components.get(i).is_some_and(|c| !c.is_empty());
        let mode = if said { INSTEAD } else { "component" };
        all.push((
            format!("{mode} {}", i + 1),
            with(i, format!("QZX{}Q", i + 1)),
        ));
    }
    for t in &triplets {
        all.push((format!("as {t}"), format!("{t}{rest}")));
    }
    if components.len() < 4 {
        all.push((
            "alternate".to_owned(),
            format!(
                "{}{}QZT4Q^QZT5Q^QZT6Q{rest}",
                components.join("^"),
                "^".repeat(4 - components.len())
            ),
        ));
    }
    for (i, c) in components.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
        all.push((
            format!("sub-component of {}", i + 1),
            with(i, format!("{c}&QZS1Q")),
        ));
    }
    all
}

/// What is lost: field and how the marks stood in it, with the kinds.
type Lost = BTreeMap<(String, usize, String), BTreeSet<String>>;

/// The segments of a message as text, so that a mark can stand anywhere.
fn lines_of(bytes: &[u8]) -> Vec<String> {
    let mut index = Index::new();
    index.build(bytes, None);
    let arena = bumpalo::Bump::new();
    let message = Message::new(bytes, &index, &arena, 0);
    let mut lines: Vec<String> = message
        .segments()
        .map(|s| {
            let (start, end) = s.span();
            let line = &bytes[start as usize..end as usize];
            match std::str::from_utf8(line) {
                Ok(ascii) if !ascii.contains('\u{1b}') => ascii.to_owned(),
                _ => format!("{}|{}", s.name_str(), s.rest(1).text().text),
            }
        })
        .collect();
    // What the fixture lacks of the visit.
    if !lines.iter().any(|l| l.starts_with("PV2")) {
        let at = lines.iter().position(|l| l.starts_with("PV1")).unwrap();
        lines.insert(at + 1, "PV2|".to_owned());
    }
    lines
}

/// Whether a finding says that the field, or its segment, is left out, that the row of the parent
/// goes before, or that a code is in no table.
fn is_told(out: &Output, segment: &str, field: &str, span: (usize, usize), codes: bool) -> bool {
    out.diagnostics.iter().any(|d| {
        let argument = d.argument.as_deref();
        let named = argument == Some(field) || argument == Some(segment);
        let covers = (d.span.start as usize) < span.1 && d.span.end as usize > span.0;
        match d.code.code {
            "MAP018" | "MAP125" | "MAP401" => named && covers,
            // Another name of the same code or number, which is the newest, is told where that stands.
            "MAP127" => argument == Some(field),
            "MAP008" | "MAP107" => codes && covers,
            _ => false,
        }
    })
}

/// How often a resource keeps the mark of a field that it keeps most often.
fn times_kept(json: &str, field: &str) -> usize {
    let kept = format!(":field:{field}\",\"valueString\":\"");
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for text in json.split(&kept).skip(1) {
        let text = text.split('"').next().unwrap();
        for mark in text.split(['^', '&', '~']).filter(|m| m.starts_with("QZ")) {
            *times.entry(mark).or_default() += 1;
        }
    }
    times.into_values().max().unwrap_or_default()
}

/// Whether a finding says that the field is not carried over.
fn is_left_out(out: &Output, field: &str, (from, to): (usize, usize)) -> bool {
    out.diagnostics.iter().any(|d| {
        let covers = (d.span.start as usize) < to && d.span.end as usize > from;
        d.code.code == "MAP018" && d.argument.as_deref() == Some(field) && covers
    })
}

#[test]
fn no_part_of_a_field_is_lost_in_silence() {
    let samples = samples();
    assert_eq!(samples.len(), 27, "26 kinds and the vital signs");
    let left_alone = left_alone();
    let mut converter = converter();
    let mut out = Output::new();
    let (mut lost, mut untrue) = (Lost::new(), Lost::new());
    let mut count = 0;
    for (kind, path, bytes) in &samples {
        let text = lines_of(bytes);
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, line) in text.iter().enumerate() {
            let name = line.get(..3).unwrap();
            let again = seen.entry(name).or_default();
            *again += 1;
            if name == "MSH" || *again > 2 {
                continue;
            }
            let mut cells: Vec<&str> = line.split('|').collect();
            let known = fields::segment(name).map_or(0, |s| s.fields().count());
            let most = cells.len().max(known + 1) + 1;
            cells.resize(most + 1, "");
            let id: [u8; 3] = name.as_bytes().try_into().unwrap();
            let swept = |n: &usize| {
                let mut transport = OF_TRANSPORT.iter();
                !left_alone.contains(&(id, *n))
                    && !transport.any(|(kinds, s, f)| {
                        let of_kind = kinds.is_empty() || kinds.contains(&kind.as_str());
                        of_kind && *s == name && f == n
                    })
            };
            for n in (1..most).filter(swept) {
                for (mode, changed) in mutations(cells[n]) {
                    let mut cells = cells.clone();
                    cells[n] = &changed;
                    let mut lines = text.clone();
                    lines[at] = cells.join("|").trim_end_matches('|').to_owned();
                    let before: usize = lines[..at].iter().map(|l| l.len() + 1).sum();
                    let from = before + cells[..n].join("|").len() + 1;
                    let message = lines.join("\r") + "\r";
                    out.clear();
                    let bytes = message.as_bytes();
                    converter.convert(File { path, bytes }, 0, &mut out);
                    count += 1;
                    let made = out.resources.iter().map(|r| out.json_of(r));
                    let made: Vec<&str> = made.map(|j| std::str::from_utf8(j).unwrap()).collect();
                    let json = made.concat();
                    let marks = changed.split(['^', '&', '~']);
                    let marks = marks.filter(|m| m.starts_with("QZ"));
                    let missing = marks.filter(|m| !json.contains(*m)).count();
                    let field = format!("{name}-{n}");
                    let span = (from, from + changed.len());
                    let said = made.iter().map(|json| times_kept(json, &field));
                    let most = said.max().unwrap_or_default();
                    // Of the person a part may be kept, and of the rest told that it is not.
                    let left_out = name != "PID" && is_left_out(&out, &field, span);
                    if most > 1 || most == 1 && left_out {
                        let untrue = untrue.entry((name.to_owned(), n, mode.clone()));
                        untrue.or_default().insert(kind.clone());
                    }
                    let otherwise = SAID_OTHERWISE.iter().any(|(s, of, component, kinds)| {
                        let instead = match component {
                            0 => "as ^QZT2Q".to_owned(),
                            n => format!("{INSTEAD} {n}"),
                        };
                        let of_kind = kinds.is_empty() || kinds.contains(&kind.as_str());
                        *s == name && of.contains(&n) && mode == instead && of_kind
                    });
                    if missing > 0 && !otherwise && !is_told(&out, name, &field, span, missing == 1)
                    {
                        let lost = lost.entry((name.to_owned(), n, mode)).or_default();
                        lost.insert(kind.clone());
                    }
                }
            }
        }
    }
    assert!(count > 14_000, "{count} conversions");
    let mut by: BTreeMap<(String, usize), BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for ((s, n, m), k) in &lost {
        by.entry((s.clone(), *n))
            .or_default()
            .insert(m.clone(), k.clone());
    }
    for ((s, n), m) in &by {
        for (m, k) in m {
            println!(
                "LOST {s}-{n}\t{m}\t{}",
                k.iter().cloned().collect::<Vec<_>>().join(" ")
            );
        }
    }
    println!("COUNT {count}");
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(
        untrue.is_empty(),
        "kept twice, or kept and called left out: {untrue:#?}"
    );
}
