//! The data of this crate against the FHIR packages in `../shared`: spelling of every canonical URL,
//! OIDs of the naming systems, the item lists of JP-CLINS. Skipped when the packages are absent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test stops at the first surprise and says what it skipped"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;
use warifu_terms::{clins, systems};

const JP_PACKAGES: &[&str] = &[
    "jpfhir.jp.core-1.2.0.tgz",
    "jp-core.r4-1.1.2-url.tgz",
    "jp-clins.r4-1.5.3.tgz",
    "jpfhir-terminology.r4-1.4.0-partial.tgz",
    "jp-echeckupreport.r4-1.5.0.tgz",
    "jp-eprescriptiondata-0.1.0.tgz",
];

/// URLs this crate knows from the guides' text, which no package resource mentions.
const ONLY_IN_GUIDES: &[&str] = &[
    systems::JAMI_EVENT_TRIGGERED,
    systems::DISPENSE_PREPARATION,
    systems::ICD10_2013_3DIGITS,
    systems::YJ_STRENGTH_INGREDIENT,
    systems::MEDICATION_FORM,
    systems::ID_INSURED_SYMBOL,
    systems::ID_INSURED_NUMBER,
    systems::ID_INSURED_BRANCH,
    systems::ID_PUBLIC_INSURED,
    systems::ID_PUBLIC_MEMBER,
    // in the prose of JP_AllergyIntolerance_eCS
    systems::JFAGY_DRUG_YJ,
    // published with a stray `$` before the URL in JP_Organization_eCS_coveragePayer
    systems::ID_PUBLIC_PAYER,
];

fn packages() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fhir/packages");
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared is absent");
    None
}

/// Every JSON resource of a package, by file name.
fn resources(directory: &std::path::Path, package: &str) -> Vec<(String, Value)> {
    let file = File::open(directory.join(package)).expect(package);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let wanted = std::path::Path::new(&name)
            .extension()
            .is_some_and(|e| e == "json");
        if wanted && !name.ends_with(".index.json") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((name, serde_json::from_str(&text).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{package} holds no resource");
    found
}

/// Collects every string that is a URL or URN, without a version suffix.
fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("http://") || text.starts_with("urn:oid:") => {
            let bare = text.split('|').next().unwrap_or(text);
            into.insert(bare.to_owned());
        }
        Value::Array(values) => values.iter().for_each(|one| collect(one, into)),
        Value::Object(map) => map.values().for_each(|one| collect(one, into)),
        _ => {}
    }
}

/// The quoted URLs and URNs of `systems.rs`.
fn our_urls() -> BTreeSet<&'static str> {
    let source = include_str!("../src/systems.rs");
    let code = source.split("#[cfg(test)]").next().unwrap();
    code.split('"')
        .filter(|text| text.starts_with("http://") || text.starts_with("urn:oid:1"))
        .collect()
}

fn is_japanese(url: &str) -> bool {
    [
        "http://jpfhir.jp/",
        "http://jami.jp/",
        "http://medis.or.jp/",
        "http://capstandard.jp/",
    ]
    .iter()
    .any(|start| url.starts_with(start))
}

#[test]
fn every_japanese_url_is_spelled_as_in_the_packages() {
    let Some(directory) = packages() else { return };
    let mut published = BTreeSet::new();
    for package in JP_PACKAGES {
        for (_, resource) in resources(&directory, package) {
            collect(&resource, &mut published);
        }
    }
    let by_lower_case: BTreeMap<String, &String> = published
        .iter()
        .map(|url| (url.to_ascii_lowercase(), url))
        .collect();
    let ours = our_urls();
    assert!(ours.len() > 100, "systems.rs was not read");
    for url in ours.into_iter().filter(|url| is_japanese(url)) {
        if published.contains(url) {
            assert!(!ONLY_IN_GUIDES.contains(&url), "{url} is in a package now");
            continue;
        }
        let near = by_lower_case.get(&url.to_ascii_lowercase());
        assert_eq!(near, None, "{url} differs in case");
        assert!(ONLY_IN_GUIDES.contains(&url), "{url} is in no package");
    }
}

#[test]
fn every_code_system_of_jp_core_differs_from_ours_in_more_than_case() {
    let Some(directory) = packages() else { return };
    let ours = our_urls();
    let by_lower_case: BTreeMap<String, &str> = ours
        .iter()
        .map(|url| (url.to_ascii_lowercase(), *url))
        .collect();
    let mut checked = 0;
    for package in ["jpfhir.jp.core-1.2.0.tgz", "jp-clins.r4-1.5.3.tgz"] {
        for (name, resource) in resources(&directory, package) {
            if !name.contains("CodeSystem-") && !name.contains("NamingSystem-") {
                continue;
            }
            let mut urls = BTreeSet::new();
            collect(&resource, &mut urls);
            for url in urls {
                if let Some(near) = by_lower_case.get(&url.to_ascii_lowercase()) {
                    assert_eq!(*near, url, "{name}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 30, "only {checked} URLs compared");
}

#[test]
fn oids_lead_to_the_preferred_url_of_the_naming_system() {
    let Some(directory) = packages() else { return };
    let mut compared = 0;
    for (name, resource) in resources(&directory, "jpfhir.jp.core-1.2.0.tgz") {
        if resource["resourceType"] != "NamingSystem" {
            continue;
        }
        let ids = resource["uniqueId"].as_array().unwrap();
        let preferred = ids
            .iter()
            .find(|id| id["preferred"] == true)
            .and_then(|id| id["value"].as_str());
        let Some(preferred) = preferred.filter(|url| url.starts_with("http://")) else {
            continue;
        };
        for id in ids.iter().filter(|id| id["type"] == "oid") {
            let oid = id["value"].as_str().unwrap();
            // The insured symbol and number name an extension as their URL; ours are the
            // identifier systems of the guide.
            if preferred.contains("/StructureDefinition/") {
                continue;
            }
            assert_eq!(systems::url_of_oid(oid), Some(preferred), "{name} {oid}");
            compared += 1;
        }
    }
    assert!(compared > 25, "only {compared} OIDs compared");
}

#[test]
fn v2_code_systems_exist_in_fhir_r4() {
    let Some(directory) = packages() else { return };
    let mut published = BTreeSet::new();
    for (name, resource) in resources(&directory, "hl7.fhir.r4.core-4.0.1.tgz") {
        if name.contains("CodeSystem-v2-") {
            published.insert(resource["url"].as_str().unwrap().to_owned());
        }
    }
    for number in 1..=999 {
        // 0112 is a user-defined table; HL7 Terminology publishes it, FHIR R4 itself does not.
        if let Some(url) = systems::hl7_table_uri(number).filter(|_| number != 112) {
            assert!(published.contains(url), "{url}");
        }
    }
}

#[test]
fn clins_items_are_those_of_the_package() {
    let Some(directory) = packages() else { return };
    let mut slices = BTreeMap::new();
    let mut lists = 0;
    let resources = resources(&directory, "jp-clins.r4-1.5.3.tgz");
    for (_, resource) in &resources {
        if resource["name"] == "JP_Observation_LabResult_eCS" {
            for element in resource["differential"]["element"].as_array().unwrap() {
                let id = element["id"].as_str().unwrap();
                let fixed = element["fixedString"]
                    .as_str()
                    .or(element["patternString"].as_str());
                if let (Some(display), true) = (fixed, id.ends_with(".display")) {
                    slices.insert(display.to_owned(), id.to_owned());
                }
            }
        }
    }
    assert!(slices.len() > 90, "slices of the profile not found");
    for (_, resource) in &resources {
        let url = resource["url"].as_str().unwrap_or_default();
        let scheme = match resource["resourceType"].as_str() {
            Some("CodeSystem") if url.contains("/JLAC10/") => clins::Scheme::Jlac10,
            Some("CodeSystem") if url.contains("/JLAC11/") => clins::Scheme::Jlac11,
            _ => continue,
        };
        lists += 1;
        for group in resource["concept"].as_array().unwrap() {
            for concept in group["concept"].as_array().unwrap() {
                let code = concept["code"].as_str().unwrap();
                let item = clins::item(code).unwrap_or_else(|| panic!("{code} is missing"));
                assert_eq!(item.system(scheme), url);
                assert_eq!(item.group, group["code"].as_str().unwrap());
                let display = concept["display"].as_str().unwrap();
                let named = slices.contains_key(item.display) || item.display == display;
                assert!(named, "{code} {} {display}", item.display);
            }
        }
    }
    assert_eq!(lists, 4);
}
