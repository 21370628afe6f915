//! The translations against the `ConceptMap`s that the JAMI working group published for SS-MIX2, and
//! the field dictionary against published conformance tables. Skipped when `../shared` is absent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise and says what it skipped"
)]

use std::path::PathBuf;

use serde_json::Value;
use warifu_terms::fields::Usage;
use warifu_terms::{fields, maps};

/// A JSON file of the reference data.
fn reference(file: &str) -> Option<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    if !folder.is_dir() {
        println!("skipped: ../shared is absent");
        return None;
    }
    let text = std::fs::read_to_string(folder.join(file)).expect(file);
    Some(serde_json::from_str(&text).unwrap())
}

/// The rows `(code, target)` of a published table; `None` for a code without a target.
fn published(table: &str) -> Option<Vec<(String, Option<String>)>> {
    let map = reference(&format!("jami-conceptmaps/ConceptMap-table-{table}.json"))?;
    let rows: Vec<_> = map["group"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["element"].as_array().unwrap())
        .map(|element| {
            let code = element["code"].as_str().unwrap().to_owned();
            let target = element["target"][0]["code"].as_str().map(str::to_owned);
            (code, target)
        })
        .collect();
    assert!(!rows.is_empty(), "{table}");
    Some(rows)
}

/// Every published row must be answered alike.
fn agree(table: &str, answer: impl Fn(&str) -> Option<&'static str>) {
    for (code, target) in published(table).unwrap_or_default() {
        assert_eq!(answer(&code), target.as_deref(), "{table} {code}");
    }
}

#[test]
fn sex_is_translated_as_published() {
    agree("v2-0001-to-administrativegender", |code| {
        maps::GENDER.find(code)
    });
}

#[test]
fn encounter_status_is_translated_as_published() {
    agree("v2-0003-to-encounterstatus", |code| {
        maps::ENCOUNTER_STATUS.find(code)
    });
}

#[test]
fn location_status_is_translated_as_published() {
    agree("v2-0003-to-encounterlocationstatus", |code| {
        Some(maps::LOCATION_STATUS.translate(code).to)
    });
}

#[test]
fn encounter_class_is_translated_as_published() {
    agree("v2-0004-to-v3-actcode", |code| {
        maps::ENCOUNTER_CLASS.find(code).map(|class| class.code)
    });
}

#[test]
fn allergy_category_and_severity_are_translated_as_published() {
    agree("v2-0127-to-allergyintolerancecategory", |code| {
        maps::ALLERGY_CATEGORY.translate(code).to
    });
    agree("v2-0128-to-reactioneventseverity", |code| {
        maps::ALLERGY_SEVERITY.translate(code).to
    });
}

#[test]
fn telecom_use_is_translated_as_published() {
    agree("v2-0201-to-contactpointuse", |code| {
        maps::TELECOM_USE.translate(code).to
    });
}

#[test]
fn name_representation_is_translated_as_published() {
    agree("v2-0465-to-iso-21090", |code| {
        maps::NAME_REPRESENTATION.translate(code).to
    });
}

/// Letters and digits only, lower case: the reference differs in dashes and apostrophes.
fn plain(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[test]
fn field_names_types_and_lengths_are_those_of_the_conformance_tables() {
    let Some(tables) = reference("nho-conformance/HL7_SEGMENT.json") else {
        return;
    };
    let mut compared = 0;
    for (id, rows) in tables.as_object().unwrap() {
        let segment = fields::segment(id).unwrap_or_else(|| panic!("{id} is missing"));
        let rows = rows.as_array().unwrap().split_first().unwrap().1;
        assert_eq!(rows.len(), segment.fields().count(), "{id}");
        for (row, field) in rows.iter().zip(segment.fields()) {
            let name = row["name"].as_str().unwrap();
            // the reference has Japanese names only for the fields of ZE1
            if !name.is_empty() {
                assert_eq!(plain(field.en), plain(name), "{id}-{}", field.n);
            }
            assert_eq!(
                field.datatype,
                row["type"].as_str().unwrap(),
                "{id}-{}",
                field.n
            );
            assert_eq!(u64::from(field.length), row["length"].as_u64().unwrap());
            for (kind, mark) in row["ssmix2-required"].as_object().unwrap() {
                let wanted = match mark.as_str().unwrap() {
                    "R" => Usage::Required,
                    "RE" => Usage::RequiredIfKnown,
                    "C" => Usage::Conditional,
                    "O" => Usage::Optional,
                    _ => Usage::NotUsed,
                };
                let usage = field.usage_in(kind);
                assert_eq!(usage, wanted, "{id}-{} {kind} {mark}", field.n);
            }
            compared += 1;
        }
    }
    assert!(compared > 500, "only {compared} fields compared");
}
