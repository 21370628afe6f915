//! Bundles as `warifu convert` writes them: what is inside resolves, what is withdrawn is said.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use support::{fixtures, run, tree};

fn convert(root: &Path, more: &[&str]) -> Vec<Value> {
    let o = run(&[
        &["convert", root.to_str().unwrap(), "--to", "bundle", "-qq"][..],
        more,
    ]
    .concat());
    assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
    let lines = o.stdout.split(|&b| b == b'\n').filter(|l| !l.is_empty());
    lines.map(|l| serde_json::from_slice(l).unwrap()).collect()
}

fn references(v: &Value, found: &mut Vec<String>) {
    match v {
        Value::Object(o) => {
            for (k, v) in o {
                match v {
                    Value::String(s) if k == "reference" => found.push(s.clone()),
                    _ => references(v, found),
                }
            }
        }
        Value::Array(a) => a.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

/// Copies the fixture's patient 0000990001 under another number, with all files withdrawn (flag 0).
fn withdrawn(root: &Path, number: &str) {
    let folder = root.join(&number[..3]).join(&number[3..6]).join(number);
    for (name, bytes) in tree(&fixtures("standard_root/000/099/0000990001")) {
        let name = name.replace("0000990001", number);
        let Some(stem) = name.strip_suffix("_1") else {
            continue;
        };
        let to = folder.join(format!("{stem}_0"));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let mut own = bytes.clone();
        for at in 0..own.len().saturating_sub(9) {
            if &own[at..at + 10] == b"0000990001" {
                own[at..at + 10].copy_from_slice(number.as_bytes());
            }
        }
        std::fs::write(to, own).unwrap();
    }
}

#[test]
fn a_bundle_names_what_it_holds_by_uuid_whatever_its_ids_look_like() {
    let root = fixtures("standard_root");
    for ids in ["keyed", "readable"] {
        let bundles = convert(&root, &["--per", "patient", "--ids", ids]);
        assert!(bundles.len() > 2);
        for b in bundles {
            let entries = b["entry"].as_array().unwrap();
            let urls: BTreeSet<&str> = entries
                .iter()
                .filter_map(|e| e["fullUrl"].as_str())
                .collect();
            let names: BTreeSet<String> = entries
                .iter()
                .filter_map(|e| e["resource"].as_object())
                .map(|r| {
                    format!(
                        "{}/{}",
                        r["resourceType"].as_str().unwrap(),
                        r["id"].as_str().unwrap()
                    )
                })
                .collect();
            assert_eq!(urls.len(), names.len());
            assert!(
                urls.iter()
                    .all(|u| u.starts_with("urn:uuid:") && u.len() == 45)
            );
            let mut found = Vec::new();
            references(&b, &mut found);
            let mut inside = 0;
            for r in found {
                if r.starts_with("urn:") {
                    assert!(urls.contains(r.as_str()), "{r}");
                    inside += 1;
                } else {
                    assert!(
                        !names.contains(&r),
                        "{r} is here, and named as if elsewhere"
                    );
                }
            }
            assert!(inside > 0 || names.len() < 2);
        }
    }
}

#[test]
fn patients_of_whom_all_is_withdrawn_have_a_file_each() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for number in ["0000995001", "0000995002", "0000995003"] {
        withdrawn(&root, number);
    }
    let out = dir.path().join("out");
    let o = run(&[
        "convert",
        root.to_str().unwrap(),
        "--to",
        "bundle",
        "--per",
        "patient",
        "-qq",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(o.status.success());
    let files: Vec<String> = tree(&out)
        .into_iter()
        .map(|(n, _)| n)
        .filter(|n| !n.starts_with('.') && !n.contains(".ndjson") && n != "manifest.json")
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(!files.iter().any(|n| n.contains("unknown")), "{files:?}");
}

#[test]
fn a_collection_says_what_is_withdrawn_in_a_transaction_beside_it() {
    let root = fixtures("standard_root");
    let deletes = |bundles: &[Value]| -> BTreeSet<String> {
        let entries = bundles.iter().flat_map(|b| b["entry"].as_array().unwrap());
        entries
            .filter(|e| e["request"]["method"] == "DELETE")
            .map(|e| e["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    };
    let wanted = deletes(&convert(&root, &["--per", "message"]));
    assert!(!wanted.is_empty());
    for per in ["message", "patient"] {
        let bundles = convert(&root, &["--bundle", "collection", "--per", per]);
        assert!(
            bundles
                .iter()
                .all(|b| !b["entry"].as_array().unwrap().is_empty())
        );
        assert_eq!(deletes(&bundles), wanted);
    }
}

/// Copies the fixture's patient 0000990001 into the folder of another, whose own is the ADT-00 only:
/// what all other files say is of 0000990001.
fn misfiled(root: &Path, number: &str) {
    let folder = root.join(&number[..3]).join(&number[3..6]).join(number);
    for (name, mut bytes) in tree(&fixtures("standard_root/000/099/0000990001")) {
        let to = folder.join(name.replace("0000990001", number));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        if name.contains("ADT-00") {
            for at in 0..bytes.len().saturating_sub(9) {
                if &bytes[at..at + 10] == b"0000990001" {
                    bytes[at..at + 10].copy_from_slice(number.as_bytes());
                }
            }
        }
        std::fs::write(to, bytes).unwrap();
    }
}

fn of_type<'b>(bundle: &'b Value, resource_type: &str) -> Vec<&'b Value> {
    let entries = bundle["entry"].as_array().unwrap().iter();
    let resources = entries.map(|e| &e["resource"]);
    resources
        .filter(|r| r["resourceType"] == resource_type)
        .collect()
}

#[test]
fn a_bundle_of_a_patient_holds_nothing_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    misfiled(&root, "0000995001");
    let out = dir.path().join("out");
    let o = run(&[
        "convert",
        root.to_str().unwrap(),
        "--per",
        "patient",
        "--lang",
        "en",
        "--trace",
        "--out",
        out.to_str().unwrap(),
    ]);
    let told = String::from_utf8_lossy(&o.stderr).into_owned();
    assert!(o.status.success(), "{told}");
    assert!(told.contains(", 2 patients"), "{told}");
    let files: Vec<(String, Vec<u8>)> = tree(&out)
        .into_iter()
        .filter(|(n, _)| Path::new(n).extension().is_some_and(|e| e == "json"))
        .filter(|(n, _)| n != "manifest.json")
        .collect();
    assert_eq!(files.len(), 2);
    let mut numbers = BTreeSet::new();
    for (name, bytes) in &files {
        let bundle: Value = serde_json::from_slice(bytes).unwrap();
        let patients = of_type(&bundle, "Patient");
        let [patient] = patients.as_slice() else {
            panic!("{name}: {} patients", patients.len());
        };
        assert_eq!(*name, format!("{}.json", patient["id"].as_str().unwrap()));
        let number = patient["identifier"][0]["value"].as_str().unwrap();
        numbers.insert(number.to_owned());
        let orders = of_type(&bundle, "MedicationRequest").len();
        assert_eq!(orders > 0, number == "0000990001", "{name}");
        // Only what patients share may stand in the other's.
        let mut found = Vec::new();
        references(&bundle, &mut found);
        let shared = ["Practitioner", "Organization", "Location", "urn:uuid:", "#"];
        let elsewhere = found
            .iter()
            .find(|r| !shared.iter().any(|s| r.starts_with(s)));
        assert_eq!(elsewhere, None);
    }
    let both = ["0000990001", "0000995001"].map(str::to_owned);
    assert_eq!(numbers, BTreeSet::from(both));
}

#[test]
fn files_of_a_patient_given_without_their_storage_all_stay() {
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root/000/099/0000990001");
    let out = dir.path().join("out");
    let o = run(&[
        "convert",
        root.to_str().unwrap(),
        "--per",
        "patient",
        "--lang",
        "en",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(o.status.success());
    assert!(String::from_utf8_lossy(&o.stderr).contains("Give the root"));
    let written = tree(&out);
    let manifest = written.iter().find(|(n, _)| n == "manifest.json").unwrap();
    let manifest: Value = serde_json::from_slice(&manifest.1).unwrap();
    let counted = manifest["counts"]["resources"]["MedicationRequest"].as_u64();
    let there = written
        .iter()
        .filter(|(n, _)| Path::new(n).extension().is_some_and(|e| e == "json"))
        .filter(|(n, _)| n != "manifest.json");
    // One person's, and withdrawn ones are told and left out.
    assert_eq!(there.clone().count(), 1);
    let there: usize = there
        .map(|(_, b)| of_type(&serde_json::from_slice(b).unwrap(), "MedicationRequest").len())
        .sum();
    assert!(there > 1);
    assert_eq!(counted, u64::try_from(there).ok());
}
