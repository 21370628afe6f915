//! The translations against the `ConceptMap`s that the JAMI working group published for SS-MIX2.
//! Skipped when `../shared` is absent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it skipped"
)]

use std::path::PathBuf;

use serde_json::Value;
use warifu_terms::maps;

/// The rows `(code, target)` of a published table; `None` for a code without a target.
fn published(table: &str) -> Option<Vec<(String, Option<String>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/reference/jami-conceptmaps");
    if !folder.is_dir() {
        println!("skipped: ../shared is absent");
        return None;
    }
    let file = folder.join(std::format!("ConceptMap-table-{table}.json"));
    let text = std::fs::read_to_string(file).expect(table);
    let map: Value = serde_json::from_str(&text).unwrap();
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
