//! The mapping tables against the field dictionary: no field of SS-MIX2 is passed over in silence.

use std::collections::BTreeSet;

use warifu_map::kinds;

#[test]
fn every_field_ss_mix2_uses_is_a_row_somewhere() {
    let rows: BTreeSet<([u8; 3], u16)> = kinds::tables()
        .flat_map(|t| t.rows.iter())
        .map(|r| (r.segment, r.field))
        .collect();
    let mut missing = Vec::new();
    let mapped: BTreeSet<[u8; 3]> = rows.iter().map(|(s, _)| *s).collect();
    for s in warifu_terms::fields::segments() {
        let Ok(name) = <[u8; 3]>::try_from(s.id.as_bytes()) else {
            continue;
        };
        if !mapped.contains(&name) || rows.contains(&(name, 0)) {
            continue;
        }
        for f in s.fields() {
            let used = warifu_ssmix2::DataKind::ALL
                .iter()
                .any(|k| f.usage_in(k.code()) != warifu_terms::fields::Usage::NotUsed);
            if used && !rows.contains(&(name, u16::from(f.n))) {
                missing.push(format!("{}-{}", s.id, f.n));
            }
        }
    }
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn rows_name_their_target_and_source() {
    let mut names = BTreeSet::new();
    for worded in kinds::all() {
        let t = worded.table;
        assert!(names.insert(t.name), "two tables are called {}", t.name);
        assert!(!t.rows.is_empty(), "{} is empty", t.name);
        let texts: Vec<_> = worded.texts().collect();
        assert_eq!(texts.len(), t.rows.len(), "{} has a line break", t.name);
        let mut seen = BTreeSet::new();
        for ((n, r), (target, ja)) in t.rows.iter().enumerate().zip(texts) {
            assert_eq!((r.row.table, usize::from(r.row.n)), (t.name, n));
            assert!(
                !ja.is_empty(),
                "{} {} has no Japanese name",
                t.name,
                r.row.source
            );
            seen.insert((r.row.source, target));
        }
        assert_eq!(seen.len(), t.rows.len(), "{} repeats a row", t.name);
    }
}

#[test]
fn what_has_no_element_is_kept() {
    use warifu_map::table::Action;
    for t in kinds::tables() {
        for r in t.rows.iter().filter(|r| matches!(r.action, Action::Lost)) {
            assert!(
                t.keeps.iter().any(|k| k.segment == r.segment),
                "{} says that {} is kept, and does not keep its segment",
                t.name,
                r.row.source
            );
        }
    }
}

#[test]
fn content_is_left_alone_only_where_something_else_says_it() {
    use warifu_map::table::{Action, Ignored};
    for t in kinds::tables() {
        for r in t.rows {
            let source = r.row.source;
            match r.action {
                // What names the field that says the same is kept where that says something else: the
                // segment is, or its rows are asked one by one (vital signs).
                Action::Same(name, n, _) => {
                    let kept = t.keeps.iter().any(|k| k.segment == r.segment);
                    assert!(
                        kept || t.name.ends_with("VITAL_SIGNS"),
                        "{} {source}",
                        t.name
                    );
                    let name = str::from_utf8(&name).unwrap_or_default();
                    let named = warifu_terms::fields::field(name, n.into());
                    assert!(named.is_some(), "{} {source} names no field", t.name);
                }
                // Transport and snapshots, which are told as a whole.
                Action::Ignored(Ignored::Redundant | Ignored::Transport) => assert!(
                    matches!(&r.segment, b"MSH" | b"XCN")
                        || t.name == "PV1_OF_SNAPSHOT"
                        || matches!(source, "EVN-3" | "ORC-1" | "PID-33")
                        || (t.name.ends_with("VITAL_SIGNS") && source == "ORC-5"),
                    "{} leaves {source} alone",
                    t.name
                ),
                _ => {}
            }
        }
    }
}
