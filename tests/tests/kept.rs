//! What no row of a kind reads is kept or told: each segment of the dictionary, and one of no dictionary,
//! put into a message of each kind that does not use it.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use std::collections::BTreeMap;

use serde_json::Value;
use warifu_map::{Converter, File, Options, Output};
use warifu_terms::fields::{Usage, segments};

/// Transport, the person and the visit: told by the ADT kinds, or by nothing.
const HEAD: &[&str] = &[
    "MSH", "SFT", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "DB1", "AL1", "DSC", "BHS", "BTS",
    "FHS", "FTS",
];
/// The copy of the order in what was given (`MAP315`).
const COPY: &[&str] = &["RXO", "RXE", "TQ1", "RXC"];

fn convert(path: &str, bytes: &[u8]) -> Output {
    let mut out = Output::new();
    let options = Options {
        institution: Some("1319999999".to_owned()),
        trace: true,
        ..Options::default()
    };
    Converter::new(options).convert(File { path, bytes }, 0, &mut out);
    out
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
        if !withdraws {
            found.entry(kind).or_insert((f.path, f.bytes));
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

/// Values of the extensions of a name, anywhere in a resource.
fn values<'v>(v: &'v Value, url: &str, into: &mut Vec<&'v str>) {
    match v {
        Value::Object(o) => {
            if o.get("url").and_then(Value::as_str) == Some(url) {
                into.extend(o.get("valueString").and_then(Value::as_str));
            }
            o.values().for_each(|v| values(v, url, into));
        }
        Value::Array(a) => a.iter().for_each(|v| values(v, url, into)),
        _ => {}
    }
}

#[test]
fn a_segment_that_a_kind_does_not_use_is_kept_where_it_stands() {
    let names = segments().iter().map(|s| s.id).chain(["ZZZ"]);
    let names: Vec<&str> = names.filter(|n| !HEAD.contains(n)).collect();
    let samples = samples();
    assert_eq!(samples.len(), 27, "26 kinds and the vital signs");
    let (mut kept, mut told, mut lost) = (0, 0, Vec::new());
    for (kind, path, bytes) in &samples {
        let end = |from: usize| {
            let behind = bytes.get(from..).unwrap();
            from + behind.iter().position(|b| *b == b'\r').unwrap() + 1
        };
        let pid = bytes.windows(5).position(|w| w == b"\rPID|").unwrap();
        for name in &names {
            let used = segments()
                .iter()
                .find(|s| s.id == *name)
                .is_some_and(|s| s.fields().any(|f| f.usage_in(kind) != Usage::NotUsed));
            let order = ["ORC", "OBR", "OBX", "NTE"].contains(name) && kind == "R30";
            // What they read of these SS-MIX2 does not define.
            let read = [("ADT-00", "OBX"), ("OML-11", "TQ1"), ("OMD", "ODT")];
            let read = read.contains(&(kind.as_str(), *name));
            let copy = kind.starts_with("OMP-1") && COPY.contains(name);
            if used || order || read || copy {
                continue;
            }
            let said = format!("{name}said^a&b~c");
            for at in [end(pid + 1), bytes.len()] {
                let (before, after) = bytes.split_at(at);
                let line = format!("{name}|1||{said}|2\r");
                let message = [before, line.as_bytes(), after].concat();
                let out = convert(path, &message);
                let url = format!("urn:x-ssmix2:field:{name}-3");
                let mut found = 0;
                for r in &out.resources {
                    let r: Value = serde_json::from_slice(out.json_of(r)).unwrap();
                    let mut here = Vec::new();
                    values(&r, &url, &mut here);
                    found += here.iter().filter(|v| **v == said).count();
                }
                let (start, end) = (
                    u32::try_from(at).unwrap(),
                    u32::try_from(at + line.len()).unwrap(),
                );
                let of = |code: &str| {
                    out.diagnostics
                        .iter()
                        .any(|d| d.code.code == code && (start..end).contains(&d.span.start))
                };
                // The number of a line is read, no more.
                let unused = out.unused.iter().any(|u| {
                    (start..end).contains(&u.start) && u.reason != warifu_map::trace::Reason::Read
                });
                match (found, of("MAP003"), of("MAP018")) {
                    (1, true, false) if !unused => kept += 1,
                    (0, false, true) if ["GT1", "IN1", "IN2", "IN3", "ZI1"].contains(name) => {
                        told += 1;
                    }
                    _ => lost.push(format!("{kind} {name} at {at}: {found}")),
                }
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(kept > 1_000 && told > 100, "{kept} kept, {told} told");
}

/// Identifiers of a system, of a resource.
fn numbers<'v>(v: &'v Value, system: &str) -> Vec<&'v str> {
    let all = v["identifier"].as_array().into_iter().flatten();
    let own = all.filter(|i| i["system"] == system);
    own.filter_map(|i| i["value"].as_str()).collect()
}

#[test]
fn a_number_is_one_resource_s_and_what_was_given_leads_to_its_request() {
    const INSTANCE: &str = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier";
    const DRUG: &str = "urn:x-ssmix2:1319999999:drug-of-order";
    let (mut own, mut led) = (0, 0);
    let files = common::load(&common::fixtures().join("standard_root"));
    for (_, files) in common::by_patient(files) {
        let given = files.iter().map(|f| File {
            path: &f.path,
            bytes: &f.bytes,
        });
        let given: Vec<File<'_>> = given.collect();
        let mut out = Output::new();
        let options = Options {
            institution: Some("1319999999".to_owned()),
            ..Options::default()
        };
        Converter::new(options).convert_patient(&given, &mut out);
        let made = out.resources.iter().map(|r| out.json_of(r));
        let made: Vec<Value> = made.map(|j| serde_json::from_slice(j).unwrap()).collect();
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut drugs: BTreeMap<&str, usize> = BTreeMap::new();
        for r in &made {
            let kind = r["resourceType"].as_str().unwrap();
            if ["MedicationRequest", "Observation", "Immunization"].contains(&kind) {
                for number in numbers(r, INSTANCE) {
                    *seen.entry((kind, number)).or_default() += 1;
                    own += 1;
                }
            }
            for number in numbers(r, DRUG) {
                *drugs.entry(number).or_default() += 1;
            }
        }
        let twice: Vec<_> = seen.iter().filter(|(_, n)| **n > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        for r in &made {
            let by = r["authorizingPrescription"]
                .as_array()
                .into_iter()
                .flatten();
            for by in by.chain(r.get("request")).map(|by| &by["identifier"]) {
                if by["system"] == DRUG {
                    let number = by["value"].as_str().unwrap();
                    assert_eq!(drugs.get(number), Some(&1), "{number}");
                    led += 1;
                }
            }
        }
    }
    assert!(own > 50 && led > 3, "{own} numbers, {led} ways");
}
