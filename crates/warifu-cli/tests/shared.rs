//! What patients share (doctors, departments, the institution) over a run: the fullest form, whoever comes
//! first, however it is run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use support::{run, text, tree};

const NAMELESS: &str = "607";
const NAMED: &str = "607^Doctor^Ichiro";
const OTHER: &str = "607^Doctoress^Hanako";

/// A result that this doctor ordered in this hospital, in its place of a storage.
fn result(root: &Path, patient: &str, doctor: &str, hospital: &str) {
    let message = format!(
        "MSH|^~\\&|HIS|SEND|GW|RCV|20240110103000||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO\r\
         PID|0001||{patient}^^^^PI||Kanja^Taro^^^^^L^A||19480405|M\rPV1|0001|O|01^^^^^C\r\
         SPM|1|S1||023^Serum^JC10|||||||||||||20240110090000\r\
         OBR|1|101|F101|E001^Blood^99O03|||20240110|20240110||||||||{doctor}||||||20240110103000|||F\r\
         ORC|SC|101|F101||CM||||20240110090000|||{doctor}|01^^^^^C||||01^Medicine^99XY1||||{hospital}||||||||O^x^HL70482\r\
         OBX|1|NM|3A016000002327102^AG^JC10||1|g/dl^g/dl^99XYZ|1-2||||F|||20240110090000\r"
    );
    let folder = root
        .join(&patient[..3])
        .join(&patient[3..6])
        .join(patient)
        .join("20240110/OML-11");
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!("{patient}_20240110_OML-11_000000000000101_20240110103000000_01_1");
    std::fs::write(folder.join(name), message).unwrap();
}

/// A storage of patients in their order, each with the doctor and the hospital of his result.
fn storage(root: &Path, patients: &[(&str, &str)]) {
    for (n, (doctor, hospital)) in patients.iter().enumerate() {
        result(
            root,
            &format!("{:010}", 1_000_000 * (n + 1)),
            doctor,
            hospital,
        );
    }
}

fn convert(root: &Path, out: &Path, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let own = ["convert", root.to_str().unwrap(), "--config", "none"];
    let given = ["--institution", "1319999999", "--trace", "--lang", "en"];
    let out_given = ["-q", "--out", out.to_str().unwrap()];
    let o = run(&[&own[..], &given, &out_given, more].concat());
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    tree(out)
        .into_iter()
        .filter(|(name, _)| !name.starts_with('.'))
        .collect()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|&b| b == b'\n').filter(|l| !l.is_empty());
    lines.map(|l| serde_json::from_slice(l).unwrap()).collect()
}

/// What is told of shared resources.
fn told(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    lines(&files["diagnostics.ndjson"])
        .iter()
        .filter(|f| f["code"] == "SSM183")
        .map(|f| f["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_fullest_form_is_written_whoever_comes_first_and_its_trace() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let orders = [
        [(NAMELESS, "Toro"), (NAMED, "")],
        [(NAMED, ""), (NAMELESS, "Toro")],
        [(NAMELESS, ""), (NAMED, "Toro")],
    ];
    for (n, order) in orders.iter().enumerate() {
        let root = dir.path().join(format!("r{n}"));
        storage(&root, order);
        let files = convert(
            &root,
            &dir.path().join(format!("o{n}")),
            &["--to", "ndjson"],
        );
        let doctors = lines(&files["Practitioner.ndjson"]);
        assert_eq!(doctors.len(), 1);
        assert_eq!(doctors[0]["name"][0]["family"], "Doctor");
        let mut houses = lines(&files["Organization.ndjson"]);
        houses.retain(|h| h["partOf"].is_null() && h["name"] == "Toro");
        assert_eq!(houses.len(), 1);
        // Every leaf is traced once, the name to the file that has it.
        let trace = lines(&files["trace.ndjson"]);
        let of = |pointer: &str| -> Vec<&Value> {
            let id = format!("Practitioner/{}", doctors[0]["id"].as_str().unwrap());
            let own = trace.iter();
            own.filter(|t| t["resource"] == *id && t["pointer"] == pointer)
                .collect()
        };
        assert_eq!((of("/id").len(), of("/name/0/family").len()), (1, 1));
        let named = order
            .iter()
            .position(|(doctor, _)| *doctor == NAMED)
            .unwrap();
        let file = of("/name/0/family")[0]["spans"][0]["file"]
            .as_str()
            .unwrap();
        assert!(file.contains(&format!("{:010}", 1_000_000 * (named + 1))));
        // A poorer form is no loss.
        assert!(told(&files).is_empty());
        seen.push(["Practitioner.ndjson", "PractitionerRole.ndjson"].map(|f| files[f].clone()));
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2]);
}

#[test]
fn forms_that_contradict_each_other_are_told_once_and_without_a_name() {
    let dir = tempfile::tempdir().unwrap();
    for (n, order) in [[NAMED, OTHER], [OTHER, NAMED]].into_iter().enumerate() {
        let root = dir.path().join(format!("r{n}"));
        let more = [(NAMED, "Toro"), (OTHER, "Toro"), (NAMELESS, "Toro")];
        storage(&root, &[&order.map(|d| (d, "Toro"))[..], &more].concat());
        for form in ["ndjson", "bundle"] {
            let out = dir.path().join(format!("{form}{n}"));
            let files = convert(&root, &out, &["--to", form]);
            let all = told(&files);
            assert_eq!(all.len(), 1, "{all:?}");
            assert!(all[0].starts_with("Practitioner/"), "{all:?}");
            assert!(!all[0].contains("607") && !all[0].contains("Doctor"));
            let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
            assert_eq!(manifest["findings"]["warnings"], 1);
            if form == "ndjson" {
                let doctors = lines(&files["Practitioner.ndjson"]);
                assert_eq!(doctors[0]["name"][0]["family"], "Doctoress");
            }
        }
        // Where nothing is kept it is told on stderr.
        let root = root.to_str().unwrap();
        let o = run(&["convert", root, "--to", "ndjson", "--lang", "en"]);
        assert_eq!(
            text(&o.stderr).matches("SSM183").count(),
            2,
            "{}",
            text(&o.stderr)
        );
        let strict = run(&["convert", root, "--to", "ndjson", "--fail-on", "warning"]);
        assert_eq!(strict.status.code(), Some(1));
    }
}

#[test]
fn threads_interruptions_and_later_patients_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let all = [
        (NAMELESS, "Toro"),
        (NAMED, ""),
        (NAMELESS, "Toro Byoin"),
        (OTHER, "Toro"),
        (NAMED, "Toro"),
        (NAMELESS, ""),
    ];
    let root = dir.path().join("root");
    storage(&root, &all);
    for form in ["ndjson", "bundle"] {
        let at = |name: &str| dir.path().join(format!("{form}-{name}"));
        let go = |root: &Path, name: &str, jobs: &str| {
            convert(root, &at(name), &["--to", form, "--jobs", jobs])
        };
        let whole = go(&root, "one", "1");
        assert!(whole == go(&root, "four", "4"));
        assert!(whole == go(&root, "one", "1"), "again");
        // Patients come after the end of a run, one at a time.
        let growing = dir.path().join(format!("growing-{form}"));
        for n in 1..=all.len() {
            storage(&growing, &all[..n]);
            go(&growing, "grown", "2");
        }
        assert!(whole == go(&growing, "grown", "1"));
        // The first changes, and changes back: what was better then is not kept.
        storage(&growing, &[(OTHER, "Another long name of a house")]);
        assert!(whole != go(&growing, "grown", "1"));
        storage(&growing, &all[..1]);
        assert!(whole == go(&growing, "grown", "1"));
        // Killed after some commits, with files beyond them.
        for kept in 1..=all.len() {
            let state = at("four").join(".warifu-state");
            let text = std::fs::read_to_string(&state).unwrap();
            let cut: String = text.split_inclusive('\n').take(kept).collect();
            std::fs::write(&state, cut).unwrap();
            let _ = std::fs::remove_file(at("four").join("manifest.json"));
            if kept > 1 {
                // Killed while they were written; this storage has none in the end.
                std::fs::write(at("four").join("Location.ndjson.part"), "{").unwrap();
            }
            assert!(whole == go(&root, "four", "3"), "{form} cut at {kept}");
        }
        // Standard output has the same, each resource once.
        let own = ["convert", root.to_str().unwrap(), "--config", "none", "-qq"];
        let o = run(&[&own[..], &["--institution", "1319999999", "--to", form]].concat());
        let mut got: Vec<String> = text(&o.stdout).lines().map(str::to_owned).collect();
        let data = |name: &str| {
            let own = ["trace.ndjson", "diagnostics.ndjson", "manifest.json"];
            !own.contains(&name)
        };
        let files = whole.iter().filter(|(name, _)| data(name));
        let mut want: Vec<String> = files
            .flat_map(|(_, bytes)| text(bytes).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        got.sort();
        want.sort();
        assert!(got == want);
        // What is written of a resource is in the manifest by its digest, the log of forms is not.
        let manifest: Value = serde_json::from_slice(&whole["manifest.json"]).unwrap();
        let names: Vec<&String> = manifest["files"].as_object().unwrap().keys().collect();
        assert_eq!(names.len() + 1, whole.len());
    }
}

#[test]
fn a_later_bundle_of_a_run_is_never_poorer_than_an_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let all = [
        (NAMELESS, "Toro"),
        (NAMED, "Toro"),
        (NAMELESS, ""),
        (OTHER, ""),
        (NAMED, ""),
    ];
    storage(&root, &all);
    let files = convert(&root, &dir.path().join("o"), &["--to", "bundle"]);
    let bundles: Vec<(&String, &Vec<u8>)> = files
        .iter()
        .filter(|(name, _)| name.starts_with("OML-11/"))
        .collect();
    let of = |bundle: &[u8], resource_type: &str| -> Vec<(usize, Value)> {
        let bundle: Value = serde_json::from_slice(bundle).unwrap();
        let entries = bundle["entry"].as_array().unwrap().clone();
        let own = entries.into_iter().map(|e| e["resource"].clone());
        let own = own.enumerate();
        own.filter(|(_, r)| r["resourceType"] == resource_type)
            .collect()
    };
    let names: Vec<Value> = bundles
        .iter()
        .map(|(_, b)| of(b, "Practitioner")[0].1["name"][0]["family"].clone())
        .collect();
    assert_eq!(
        Value::from(names),
        serde_json::json!([null, "Doctor", "Doctor", "Doctoress", "Doctoress"])
    );
    for (_, bundle) in &bundles {
        let houses = of(bundle, "Organization");
        assert!(houses.iter().any(|(_, h)| h["name"] == "Toro"));
    }
    // The trace of a Bundle is of what is its own; the source of the rest is at the Bundle that has it.
    let trace = lines(&files["trace.ndjson"]);
    for (n, (name, bundle)) in bundles.iter().enumerate() {
        let (entry, _) = of(bundle, "Practitioner")[0];
        let traced = |at: &str| {
            let pointer = format!("/entry/{entry}/resource/{at}");
            let mut own = trace.iter();
            own.any(|t| t["output"] == **name && t["pointer"] == *pointer)
        };
        assert!(traced("identifier/0/value"));
        assert_eq!(traced("name/0/family"), [1, 3].contains(&n), "{n}");
    }
}
