//! Messages outside a storage, records without a header, and what is told once for a whole run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use support::{run_in, text, tree};

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn result(patient: &str, order: &str, sent: &str, value: &str) -> String {
    format!(
        "MSH|^~\\&|A|B|C|D|{sent}||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87\r\
         PID|1||{patient}^^^^PI\rSPM|1|||023^x^JC10\rOBR|1|{order}||E^x^99|||20260401\rORC|SC|{order}\r\
         OBX|1|NM|3A015000002327101^Alb^JC10||{value}|g/dL|||||F|||20260401\r"
    )
}

fn event(patient: &str, trigger: &str, sent: &str, times: &str) -> String {
    let before = "|".repeat(42);
    format!(
        "MSH|^~\\&|A|B|C|D|{sent}||ADT^{trigger}^ADT_{trigger}|1|P|2.5||||||~ISO IR87\rEVN||{sent}\r\
         PID|1||{patient}^^^^PI\rPV1|1|I{before}{times}\r"
    )
}

/// Converts; gives the resources by type and id, the findings, the exit code and what was said.
struct Made {
    resources: BTreeMap<(String, String), Value>,
    findings: Vec<Value>,
    code: Option<i32>,
    said: String,
}

impl Made {
    fn of(&self, resource_type: &str) -> Vec<&Value> {
        let of = self.resources.iter();
        of.filter(|((ty, _), _)| ty == resource_type)
            .map(|(_, r)| r)
            .collect()
    }
    fn values(&self) -> Vec<String> {
        let all = self.of("Observation").into_iter();
        let mut all: Vec<String> = all
            .map(|o| o["valueQuantity"]["value"].to_string())
            .collect();
        all.sort();
        all
    }
    fn found(&self, code: &str) -> Vec<&Value> {
        self.findings.iter().filter(|f| f["code"] == code).collect()
    }
}

fn is_bundle(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|e| e == "json") && path != "manifest.json"
}

fn convert(dir: &Path, args: &[&str]) -> Made {
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    let fixed = [
        "--to",
        "ndjson",
        "--out",
        to,
        "--lang",
        "en",
        "--institution",
        "1319999999",
    ];
    let all = [&["convert"], args, &fixed].concat();
    let o = run_in(dir, &all);
    let mut resources = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, bytes) in tree(out.path()) {
        for line in text(&bytes).lines().filter(|_| path.contains(".ndjson")) {
            let line: Value = serde_json::from_str(line).unwrap();
            if path == "diagnostics.ndjson" {
                findings.push(line);
                continue;
            }
            let own = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let key = (own("resourceType"), own("id"));
            // One id has one content.
            assert!(resources.insert(key.clone(), line).is_none(), "{key:?}");
        }
    }
    Made {
        resources,
        findings,
        code: o.status.code(),
        said: text(&o.stderr),
    }
}

#[test]
fn of_files_outside_a_storage_the_newest_message_wins_and_both_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (old, new) = (
        result("0012345", "9", "202604011100", "6.0"),
        result("0012345", "9", "202604011300", "7.0"),
    );
    write(dir, "a/a.hl7", &old);
    write(dir, "a/sub/b.hl7", &new);
    write(dir, "b/0.hl7", &new);
    write(dir, "b/1.hl7", &old);
    // Somebody else's of the same number.
    write(
        dir,
        "b/2.hl7",
        &result("0099999", "9", "202604011200", "8.0"),
    );
    for (given, values) in [
        (&["a"][..], &["7.0"][..]),
        (&["b"], &["7.0", "8.0"]),
        (&["a/a.hl7", "a/sub/b.hl7"], &["7.0"]),
        (&["a/sub/b.hl7", "a/a.hl7", "b/2.hl7"], &["7.0", "8.0"]),
        (&["a", "b"], &["7.0", "8.0"]),
    ] {
        for jobs in ["1", "2"] {
            let made = convert(dir, &[given, &["--jobs", jobs]].concat());
            assert_eq!(made.values(), values, "{given:?}");
            let told = made.found("MAP016");
            assert!(!told.is_empty(), "{given:?}");
            for d in told {
                let file = |d: &Value| d["file"].as_str().unwrap().to_owned();
                let (loser, winner) = (file(&d["primary"]), file(&d["secondary"][0]));
                assert!(loser != winner && !winner.is_empty());
                assert_eq!(d["primary"]["span"][0], 0);
                assert!(
                    d["message"].as_str().unwrap().starts_with("another "),
                    "{d}"
                );
            }
            assert_eq!(made.code, Some(0));
        }
    }
    let alone = convert(dir, &["b/0.hl7"]);
    assert_eq!(alone.values(), ["7.0"]);
    assert!(alone.found("MAP016").is_empty());
}

/// Whoever has no number is known by name, birth date and sex, however the messages are packed.
#[test]
fn files_of_a_person_without_a_number_are_read_together() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let of = |name: &str, number: &str, sent: &str, value: &str| {
        let pid = format!("PID|1||{number}||{name}||19680303|F\r");
        result("", "9", sent, value).replace("PID|1||^^^^PI\r", &pid)
    };
    let old = of("Warifu^Hanako", "", "202604011100", "6.0");
    let new = of("Warifu^Hanako", "0000000000", "202604011300", "7.0");
    let other = of("Warifu^Taro", "0000000000", "202604011200", "8.0");
    write(dir, "files/0.hl7", &new);
    write(dir, "files/1.hl7", &old);
    write(dir, "files/2.hl7", &other);
    write(dir, "stream/all.hl7", &(new + &old + &other));
    let files = convert(dir, &["files"]);
    let stream = convert(dir, &["stream"]);
    for made in [&files, &stream] {
        assert_eq!(made.values(), ["7.0", "8.0"]);
        assert_eq!(made.of("Patient").len(), 2);
    }
    assert_eq!(files.resources, stream.resources);
}

/// Numbers that differ in form alone stay apart, and that is told once.
#[test]
fn a_number_with_and_without_zeros_is_told_once() {
    for (numbers, told) in [
        (["0001234567", "0001234567", "0007654321"], 0),
        (["0001234567", "1234567", "7654321"], 1),
        (["1234567", "１２３４５６７", "0001234567"], 1),
        (["１２３", "123", "9"], 1),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let messages = numbers.map(|number| result(number, "1", "202604011100", "6.0"));
        for (n, message) in messages.iter().enumerate() {
            write(dir, &format!("in/{n}.hl7"), message);
        }
        write(dir, "one.hl7", &messages.concat());
        for input in ["in", "one.hl7"] {
            let made = convert(dir, &[input]);
            let found = made.found("SSM184");
            assert_eq!(found.len(), told, "{numbers:?} {:?}", made.findings);
            let quoted = |f: &&Value| f["message"].as_str().unwrap().contains("123");
            assert!(!found.iter().any(quoted));
            let persons: std::collections::BTreeSet<_> = numbers.into();
            assert_eq!(made.of("Patient").len(), persons.len(), "{numbers:?}");
        }
    }
}

#[test]
fn a_stay_of_files_outside_a_storage_is_joined_and_a_person_has_one_bundle() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(
        dir,
        "in/z.hl7",
        &event("77", "A01", "202604011000", "202604011000"),
    );
    write(
        dir,
        "in/a.hl7",
        &event("0077", "A03", "202604051000", "202604011000|202604051000"),
    );
    // Numbers that differ in zeros alone are put together, and still two persons.
    assert_eq!(convert(dir, &["in"]).of("Encounter").len(), 2);
    write(
        dir,
        "in/a.hl7",
        &event("77", "A03", "202604051000", "202604011000|202604051000"),
    );
    let made = convert(dir, &["in"]);
    let [stay] = made.of("Encounter")[..] else {
        panic!("one stay")
    };
    assert_eq!(stay["status"], "finished");
    assert_eq!(stay["period"]["start"], "2026-04-01T10:00:00+09:00");
    assert!(made.said.contains("2 files"), "{}", made.said);
    assert!(made.said.contains("1 patient"), "{}", made.said);
    let args = [
        "convert", "in", "--to", "bundle", "--per", "patient", "--out", "out",
    ];
    assert!(run_in(dir, &args).status.success());
    let bundles = tree(&dir.join("out")).into_iter().map(|(path, _)| path);
    let bundles: Vec<String> = bundles.filter(|p| is_bundle(p)).collect();
    assert_eq!(bundles.len(), 1, "{bundles:?}");
}

#[test]
fn files_of_a_storage_below_its_root_are_together_and_only_those_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let name = |order: u32, time: &str, flag: u32| {
        format!("day/0000000123_20260401_OML-11_{order:015}_20260401{time}000_01_{flag}")
    };
    write(
        dir,
        &name(1, "110000", 2),
        &result("0000000123", "1", "202604011100", "6.0"),
    );
    write(
        dir,
        &name(1, "130000", 1),
        &result("0000000123", "1", "202604011300", "7.0"),
    );
    write(
        dir,
        &name(2, "130000", 1),
        &result("0000000123", "2", "202604011300", "8.0"),
    );
    write(
        dir,
        &name(3, "130000", 0),
        &result("0000000123", "3", "202604011300", "9.0"),
    );
    let made = convert(dir, &["day"]);
    assert_eq!(made.values(), ["7.0", "8.0"]);
    assert!(made.said.contains("Give the root"), "{}", made.said);
    // What was withdrawn is to be deleted, as below the root.
    let deletes = |made: &Made| {
        let bundles = made.of("Bundle").into_iter();
        let entries = bundles.flat_map(|b| b["entry"].as_array().unwrap().clone());
        let methods: Vec<Value> = entries.map(|e| e["request"]["method"].clone()).collect();
        assert!(methods.iter().all(|m| m == "DELETE"));
        methods.len()
    };
    let withdrawn = deletes(&made);
    assert!(withdrawn > 2);
    assert!(made.found("SSM116").is_empty());
    let day = "root/000/000/0000000123/20260401/OML-11";
    std::fs::create_dir_all(dir.join(day)).unwrap();
    std::fs::remove_dir(dir.join(day)).unwrap();
    std::fs::rename(dir.join("day"), dir.join(day)).unwrap();
    let below = convert(dir, &["root"]);
    assert_eq!(below.resources, made.resources);
    // Beside a message without a name it is named: that may be of the same order.
    write(
        dir,
        &format!("{day}/x.hl7"),
        &result("0000000123", "3", "202604011200", "9.0"),
    );
    for given in [
        &[day][..],
        &[
            &format!("{day}/x.hl7"),
            &format!("{}/{}", day, &name(3, "130000", 0)[4..]),
        ],
    ] {
        let made = convert(dir, given);
        let [told] = made.found("SSM116")[..] else {
            panic!("{given:?} {:?}", made.findings)
        };
        assert_eq!(told["severity"], "warning");
        assert!(
            told["primary"]["file"]
                .as_str()
                .unwrap()
                .ends_with("130000000_01_0")
        );
    }
}

#[test]
fn files_of_a_storage_that_lie_beside_its_folders_are_weighed_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let leaf = "0000000123_20260401_OML-11_000000000000001_20260401110000000_01_1";
    let stored = format!("s/root/000/000/0000000123/20260401/OML-11/{leaf}");
    write(
        dir,
        &stored,
        &result("0000000123", "1", "202604011100", "6.0"),
    );
    // A newer version of the same order, another order, a withdrawn one, and a message without a name.
    let name = |order: u32, time: u32, flag: u32| {
        format!("0000000123_20260401_OML-11_{order:015}_20260401{time}00000_01_{flag}")
    };
    let file = |path: &str, order: &str, sent: &str, value: &str| {
        write(dir, path, &result("0000000123", order, sent, value));
    };
    file(
        &format!("s/root/{}", name(1, 1300, 1)),
        "1",
        "202604011300",
        "7.0",
    );
    file(
        &format!("s/root/000/{}", name(2, 1400, 1)),
        "2",
        "202604011400",
        "8.0",
    );
    file(
        &format!("s/{}", name(3, 1400, 0)),
        "3",
        "202604011400",
        "9.0",
    );
    file("s/root/extra/x.hl7", "4", "202604011500", "5.0");
    let made = convert(dir, &["s"]);
    assert_eq!(made.values(), ["7.0", "8.0"]);
    let [outside] = made.found("SSM182")[..] else {
        panic!("{:?}", made.findings)
    };
    assert_eq!(outside["primary"]["file"], "root/extra/x.hl7");
    assert_eq!(outside["severity"], "warning");
    let args = [
        "convert", "s", "--to", "bundle", "--per", "patient", "--out", "out",
    ];
    assert!(run_in(dir, &args).status.success());
    let bundles = tree(&dir.join("out"));
    assert_eq!(
        bundles.iter().filter(|(path, _)| is_bundle(path)).count(),
        1
    );
    let mut values = Vec::new();
    for (path, bytes) in tree(&dir.join("out")) {
        if is_bundle(&path) {
            let bundle: Value = serde_json::from_slice(&bytes).unwrap();
            for e in bundle["entry"].as_array().unwrap() {
                let value = &e["resource"]["valueQuantity"]["value"];
                values.extend((!value.is_null()).then(|| value.to_string()));
            }
        }
    }
    values.sort();
    assert_eq!(values, ["7.0", "8.0"]);
}

#[test]
fn storages_given_together_are_volumes_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |root: &str, order: u32, time: u32, flag: u32, value: &str| {
        let leaf = format!("0000000123_20260401_OML-11_{order:015}_20260401{time}00000_01_{flag}");
        let message = result(
            "0000000123",
            &order.to_string(),
            &format!("20260401{time}"),
            value,
        );
        write(
            dir,
            &format!("{root}/000/000/0000000123/20260401/OML-11/{leaf}"),
            &message,
        );
    };
    // One version newer, one of the same time with another content, one withdrawn in the other, one equal.
    file("a", 1, 1100, 1, "1.0");
    file("b", 1, 1300, 1, "1.1");
    file("a", 2, 1100, 1, "2.0");
    file("b", 2, 1100, 1, "2.1");
    file("a", 3, 1100, 2, "3.0");
    file("b", 3, 1300, 0, "3.1");
    file("a", 4, 1100, 1, "4.0");
    file("b", 4, 1100, 1, "4.0");
    for paths in [["a", "b"], ["b", "a"]] {
        let made = convert(dir, &paths);
        let values = made.values();
        assert_eq!((values.len(), &*values[0], &*values[2]), (3, "1.1", "4.0"));
        assert_eq!(values[1], if paths[0] == "a" { "2.0" } else { "2.1" });
        assert_eq!(made.found("SSM104").len(), 2);
    }
}

#[test]
fn messages_that_are_too_many_for_one_reading_stay_apart_and_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "warifu.toml", "[files]\nmax-file = 600\n");
    for (name, patient) in [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2"), ("e", "2")] {
        let order = name.as_bytes()[0].to_string();
        write(
            dir,
            &format!("in/{name}.hl7"),
            &result(patient, &order, "202604011100", "1"),
        );
    }
    let out = tempfile::tempdir().unwrap();
    let to = out.path().to_str().unwrap();
    let o = run_in(
        dir,
        &[
            "convert", "in", "--to", "ndjson", "--out", to, "--lang", "en",
        ],
    );
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    let lines: BTreeMap<_, _> = tree(out.path()).into_iter().collect();
    let told = text(&lines["diagnostics.ndjson"]);
    let told: Vec<Value> = told
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let apart: Vec<_> = told.iter().filter(|f| f["code"] == "SSM181").collect();
    assert_eq!(apart.len(), 1, "{told:?}");
    assert!(
        apart[0]["message"].as_str().unwrap().ends_with("(3)"),
        "{}",
        apart[0]
    );
    // Two of the one person together, three of the other one by one.
    let patients = text(&lines["Patient.ndjson"]).lines().count();
    assert_eq!(patients, 4);
}

fn record(header: &str, message: &str) -> String {
    format!(
        "#SSMIX,2.00,1310000003,0000000123,20260401,{header},01,20260401093015123\r\n{message}\x1c\r\n"
    )
}

#[test]
fn a_record_without_a_readable_header_is_an_error_and_its_message_is_converted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let of = |order: &str, value: &str| result("0000000123", order, "202604011300", value);
    let good = record("OML-11,000000000000001,INS", &of("1", "6.0"));
    let journal = [
        good.clone(),
        record("OML-11,000000000000002,UPD", &of("2", "7.0")),
        format!("#SSMIX,2.00,bad\r\n{}\x1c\r\n", of("3", "8.0")),
        // What was perhaps to be deleted is not brought to life.
        format!("#SSMIX,2.00,bad,DEL\r\n{}\x1c\r\n", of("4", "9.0")),
        record("OML-11,000000000000001,UPD", &of("1", "5.0")),
    ]
    .concat();
    let name = "2026/TR_20260401000000000_00001.DAT";
    write(dir, name, &journal);
    let made = convert(dir, &["2026"]);
    // Of the item that has a header its record is what counts.
    assert_eq!(made.values(), ["6.0", "7.0", "8.0"]);
    assert_eq!(made.code, Some(1));
    let told = made.found("SSM179");
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|f| f["severity"] == "error"));
    assert_eq!(made.of("Patient").len(), 1);
    let lost = made.found("MAP016");
    assert!(!lost.is_empty());
    for f in lost {
        assert_eq!(
            f["primary"]["file"].as_str().unwrap().rsplit('/').next(),
            name.rsplit('/').next()
        );
        let [at, end] =
            [0, 1].map(|n| usize::try_from(f["primary"]["span"][n].as_u64().unwrap()).unwrap());
        assert_eq!(&journal[at..end], "MSH");
        assert_eq!(at, journal.rfind("MSH|").unwrap());
    }
    // Nothing but such records.
    write(dir, name, &format!("#SSMIX,2.00,bad\r\n{}", of("3", "8.0")));
    let made = convert(dir, &["2026"]);
    assert_eq!(
        (made.values(), made.code),
        (vec!["8.0".to_owned()], Some(1))
    );
    assert!(made.found("SSM180").is_empty());
    // Cut in the middle of a record.
    write(dir, name, &[&good, &good[..good.len() - 20]].concat());
    let made = convert(dir, &["2026"]);
    let [cut] = made.found("SSM180")[..] else {
        panic!("{:?}", made.findings)
    };
    assert_eq!(cut["primary"]["span"][0], good.len());
    write(dir, name, &good);
    assert!(convert(dir, &["2026"]).found("SSM180").is_empty());
}

/// Of a journal that was damaged at any place what can be read is, and no value is made of half a one.
#[test]
fn damaged_journals_lose_no_message_and_no_half_value_goes_out() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let name = "TR_20260401000000000_00001.DAT";
    let head = |mark: &str, order: u32, operation: &str| {
        format!(
            "{mark},2.00,1319999999,0000000123,20260401,OML-11,{order:015},{operation},01,20260401093015{order:03}"
        )
    };
    let of =
        |order: u32, value: &str| result("0000000123", &order.to_string(), "202604011100", value);
    let record = |header: &str, message: &str| format!("{header}\r\n{message}\x1c\r\n");
    let sound = record(&head("#SSMIX", 1, "INS"), &of(1, "1.0"));
    let made = |journal: &str| {
        write(dir, name, journal);
        let made = convert(dir, &[name]);
        let archive = format!("in/{name}");
        write(dir, &archive, journal);
        let below = convert(dir, &["in"]);
        assert!(below.resources == made.resources);
        made
    };
    // The first header: of other letters, behind garbage, or none at all.
    for first in [
        &*head("#ssmix", 2, "INS"),
        "garbage\r\nmore",
        &head("#SSMI", 2, "INS"),
        "\u{feff}#x",
        "",
    ] {
        let damaged = record(first, &of(2, "2.0"));
        for (journal, values, told) in [
            (format!("{damaged}{sound}"), vec!["1.0", "2.0"], 1),
            (
                format!("{damaged}{damaged}{sound}"),
                vec!["1.0", "2.0"],
                if first.starts_with('g') || first.is_empty() {
                    1
                } else {
                    2
                },
            ),
        ] {
            let made = made(&journal);
            assert_eq!(made.values(), values, "{first}");
            let found = made.found("SSM179");
            assert!(
                found.len() == told && found[0]["severity"] == "error",
                "{first} {:?}",
                made.findings
            );
            assert_eq!(made.code, Some(1));
        }
    }
    // In the middle, under a line that is none: the record before has none of it.
    let made_of = made(&[&sound, &*record(&head("#SSMX", 2, "INS"), &of(2, "2.0"))].concat());
    assert_eq!(made_of.values(), ["1.0", "2.0"]);
    let [told] = made_of.found("SSM179")[..] else {
        panic!("{:?}", made_of.findings)
    };
    let lines = sound.replace("\r\n", "\n").matches(['\r', '\n']).count();
    assert_eq!(told["primary"]["start"]["line"], lines + 1);
    // What may have been a delete is not read.
    let made_of = made(&[&sound, &*record(&head("#SSMX", 2, "DEL"), &of(2, "2.0"))].concat());
    assert_eq!(
        (made_of.values(), made_of.found("SSM179").len()),
        (vec!["1.0".to_owned()], 1)
    );
    // Of one item the later counts, and what is withdrawn later is.
    let later = |mark: &str, operation: &str, value: &str| {
        let header = head(mark, 1, operation).replace("15001", "15002");
        record(&header, &of(1, value))
    };
    let damaged = later("#SSMX", "INS", "2.0");
    assert_eq!(made(&[&*sound, &damaged].concat()).values(), ["2.0"]);
    let gone = later("#SSMIX", "DEL", "2.0");
    assert_eq!(made(&[&*sound, &damaged, &gone].concat()).values(), [""; 0]);
    // The rest of a line that names another patient is not believed.
    let other = damaged.replacen("0000000123", "0000000124", 1);
    let made_of = made(&[&*sound, &other].concat());
    assert_eq!(
        (made_of.values(), made_of.of("Patient").len()),
        (vec!["1.0".to_owned()], 1)
    );
    assert!(!made_of.found("MAP016").is_empty() && made_of.found("SSM179").len() == 1);
    // A mark of UTF-8 is none of the journal.
    let made_of = made(&format!("\u{feff}{sound}"));
    assert_eq!(
        (made_of.values(), made_of.found("SSM179").len()),
        (vec!["1.0".to_owned()], 0)
    );
    let [told] = made_of.found("SSM114")[..] else {
        panic!("{:?}", made_of.findings)
    };
    assert!(told["message"].as_str().unwrap().contains("journal-bom"));
    // Cut anywhere in the last record: it is read whole or not at all, and its header alone replaces or deletes.
    let newer = record(
        &head("#SSMIX", 1, "INS").replace("301500", "301501"),
        &of(1, "123.45"),
    );
    for operation in ["INS", "DEL"] {
        let newer = newer.replace("INS", operation);
        let message = newer.find("MSH|").unwrap();
        for cut in (1..newer.len())
            .step_by(31)
            .chain([newer.find("3.45").unwrap(), message])
        {
            let last = &newer[..cut];
            let made = made(&[&sound, last].concat());
            let is_whole = last.ends_with(['\r', '\n', '\x1c']);
            if cut > message && !is_whole {
                let [told] = made.found("SSM180")[..] else {
                    panic!("{last}: {:?}", made.findings)
                };
                assert_eq!(told["severity"], "error");
                // An insert is the version in force by its header: no older one stands in for it.
                assert_eq!(made.values(), [""; 0], "{last}");
                let unread = usize::from(operation == "INS");
                assert_eq!(made.found("SSM185").len(), unread, "{last}");
            }
            for value in made.values() {
                assert!(value == "1.0" || value == "123.45", "{last}");
            }
        }
    }
}

#[test]
fn what_the_conversion_writes_beside_its_results_is_passed_over_by_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "a.hl7", &result("1", "1", "202604011100", "6.0"));
    let args = [
        "convert",
        "a.hl7",
        "--out",
        "out",
        "--trace",
        "--institution",
        "1319999999",
    ];
    assert!(run_in(dir, &args).status.success());
    assert!(dir.join("out/trace.ndjson").is_file());
    let check = |folder: &str| {
        let args = [
            "check", folder, "--format", "json", "--config", "none", "--lang", "en",
        ];
        let o = run_in(dir, &args);
        let report: Value = serde_json::from_slice(&o.stdout).unwrap();
        let found = report["diagnostics"].as_array().unwrap().clone();
        let count = |code: &str| found.iter().filter(|d| d["code"] == code).count();
        (
            count("FHR002"),
            found.iter().find(|d| d["code"] == "SSM119").cloned(),
        )
    };
    let (wrong, over) = check("out");
    assert_eq!(wrong, 0);
    let over = over.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(over.ends_with("(3)") || over.ends_with("(5)"), "{over}");
    // Somebody else's files of these names are looked at.
    std::fs::remove_file(dir.join("out/manifest.json")).unwrap();
    assert!(check("out").0 > 0);
    std::fs::write(dir.join("out/manifest.json"), "{\"format\":\"x\"}").unwrap();
    assert!(check("out").0 > 0);
}

/// A folder of ours in which nothing was made: there is nothing to check, and no file was passed over.
#[test]
fn results_in_which_nothing_was_made_have_nothing_to_check() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "a.hl7", &result("1", "1", "202604011100", "6.0"));
    let args = ["convert", "a.hl7", "--to", "clins", "--out", "out"];
    let args = [&args[..], &["--institution", "1319999999"]].concat();
    run_in(dir, &args);
    assert!(dir.join("out/manifest.json").is_file());
    for (lang, words) in [
        ("en", "there is nothing to check"),
        ("ja", "調べるものがありません"),
    ] {
        let o = run_in(dir, &["check", "out", "--config", "none", "--lang", lang]);
        let said = text(&o.stderr);
        assert_eq!(o.status.code(), Some(2), "{said}");
        assert!(
            said.contains(words) && said.contains("diagnostics.ndjson"),
            "{said}"
        );
        assert!(!said.contains("hidden") && !said.contains("隠し"), "{said}");
    }
    // Another file beside them is told.
    write(dir, "out/x.txt", "x");
    let o = run_in(dir, &["check", "out", "--config", "none", "--lang", "en"]);
    assert!(text(&o.stderr).contains("neither SS-MIX2 nor FHIR"));
}

/// One file, several, and standard input of the same messages give the same documents.
#[test]
fn packing_changes_no_document_of_clins() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let message = |patient: &str, event: &str, sent: &str, department: &str, rest: &str| {
        format!(
            "MSH|^~\\&|A|B|C|D|{sent}||{event}|1|P|2.5||||||~ISO IR87\rEVN||{sent}\r\
             PID|1||{patient}^^^^PI||A^B^^^^^L^I~A^B^^^^^L^P||19680303|F|||^^^^000-0000^JPN^H^x\rPV1|1|O||||||||{department}\r{rest}\r"
        )
    };
    let disease = |number: &str| {
        let empty = "|".repeat(19);
        format!("PRB|AD|20260401|20064049^x^MDCDX2|{number}|||20260320{empty}")
    };
    let insured = "IN1|1|06^x^JHSD0001|00139998|x||||||1-2-3||20200401|20270331||||SEL^x^HL70063";
    let of = |patient: &str, day: &str| {
        let at = |hour: &str| format!("202604{day}{hour}0000");
        [
            message(patient, "ADT^A08^ADT_A01", &at("10"), "", insured),
            message(patient, "PPR^ZD1^PPR_PC1", &at("11"), "08", &disease("P1")),
            message(patient, "PPR^ZD1^PPR_PC1", &at("12"), "01", &disease("P2")),
        ]
    };
    let all = [of("0000000001", "01"), of("0000000002", "02")].concat();
    for (n, one) in all.iter().enumerate() {
        write(dir, &format!("apart/{n}.hl7"), one);
    }
    write(dir, "whole.hl7", &all.concat());
    write(dir, "halves/a.hl7", &all[..4].concat());
    write(dir, "halves/b.hl7", &all[4..].concat());
    let made = |input: &str, out: &str| {
        let args = [
            "convert", input, "--to", "clins", "--out", out, "--config", "none",
        ];
        let args = [&args[..], &["--institution", "1319999999"]].concat();
        if input == "-" {
            let file = std::fs::File::open(dir.join("whole.hl7")).unwrap();
            let mut c = support::warifu(&args);
            c.current_dir(dir).stdin(file).output().unwrap();
        } else {
            run_in(dir, &args);
        }
        let found = tree(&dir.join(out)).into_iter();
        let found: Vec<_> = found.filter(|(name, _)| is_bundle(name)).collect();
        assert_eq!(found.len(), 2, "{input}");
        found
    };
    let apart = made("apart", "o1");
    let text = String::from_utf8_lossy(&apart[0].1).into_owned();
    assert!(
        text.contains("T11:00:00") && text.contains("T12:00:00"),
        "{text}"
    );
    for (n, input) in ["whole.hl7", "halves", "-"].into_iter().enumerate() {
        assert_eq!(made(input, &format!("p{n}")), apart, "{input}");
    }
}

#[test]
fn without_a_folder_of_results_warnings_are_counted_over_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for n in 0..30 {
        let patient = format!("{n:010}");
        // A result without its order's time of collection has a warning or two.
        let message = result(&patient, "1", "202604011100", "6.0").replace("|NM|", "|ZZ|");
        write(dir, &format!("in/{n}.hl7"), &message);
    }
    let o = run_in(dir, &["convert", "in", "--to", "ndjson", "--lang", "en"]);
    let said = text(&o.stderr);
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for code in said.lines().filter_map(|l| l.strip_prefix("warning[")) {
        *lines.entry(code.split(']').next().unwrap()).or_default() += 1;
    }
    assert!(lines.values().any(|n| *n == 20), "{said}");
    assert!(lines.values().all(|n| *n <= 20), "{said}");
    for code in lines
        .iter()
        .filter(|(_, n)| **n == 20)
        .map(|(code, _)| code)
    {
        let rest = format!("{code}: ");
        assert_eq!(
            said.lines().filter(|l| l.starts_with(&rest)).count(),
            1,
            "{said}"
        );
    }
    // All of them where somebody asks.
    let o = run_in(
        dir,
        &["convert", "in", "--to", "ndjson", "--lang", "en", "-v"],
    );
    assert!(text(&o.stderr).matches("warning[").count() > said.matches("warning[").count());
}

#[test]
fn mistakes_name_where_they_stand_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(dir, "a.hl7", &result("1", "1", "202604011100", "6.0"));
    write(
        dir,
        "warifu.toml",
        "[convert]\nto = \"ndjson\"\ninstitution = \"12\"\n",
    );
    let said = |args: &[&str]| {
        let o = run_in(dir, args);
        assert_eq!(o.status.code(), Some(2));
        text(&o.stderr)
    };
    let wrong = said(&["convert", "a.hl7", "--lang", "ja"]);
    assert!(
        wrong.contains("warifu.toml:3: [convert] institution は 10 桁"),
        "{wrong}"
    );
    let wrong = said(&["convert", "a.hl7", "--institution", "1", "--lang", "en"]);
    assert!(wrong.contains("--institution takes 10 digits"), "{wrong}");
    let none = ["convert", "a.hl7", "--config", "none", "--lang", "ja"];
    let wrong = said(&[&none[..], &["--out", "a.hl7/x"]].concat());
    assert!(
        wrong.contains("--out に指定") && !wrong.contains("directory"),
        "{wrong}"
    );
    let wrong = said(&[&none[..], &["--jobs", "0"]].concat());
    assert!(wrong.contains("--jobs"), "{wrong}");
}

/// What the Bundles below a folder hold, by type.
fn held(out: &Path) -> BTreeMap<String, u64> {
    let mut held = BTreeMap::new();
    for (path, bytes) in tree(out) {
        if is_bundle(&path) {
            let bundle: Value = serde_json::from_slice(&bytes).unwrap();
            for entry in bundle["entry"].as_array().unwrap() {
                if let Some(ty) = entry["resource"]["resourceType"].as_str() {
                    *held.entry(ty.to_owned()).or_insert(0) += 1;
                }
            }
        }
    }
    held
}

fn counted(out: &Path) -> BTreeMap<String, u64> {
    let manifest = std::fs::read(out.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    serde_json::from_value(manifest["counts"]["resources"].clone()).unwrap()
}

fn bundles(out: &Path) -> Vec<(String, Vec<u8>)> {
    let files = tree(out).into_iter();
    files.filter(|(path, _)| is_bundle(path)).collect()
}

#[test]
fn bundles_stay_below_the_folder_of_results_however_a_message_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let message = result("0012300", "000000000000077", "202604011000", "5.0");
    write(dir, "here/a/m", &message);
    write(dir, "a/m", &message);
    let here = dir.join("here");
    let whole = dir.join("a/m");
    let given = ["./a/m", "../a/m", "a/m", whole.to_str().unwrap()];
    for (n, path) in given.into_iter().enumerate() {
        let out = dir.join(format!("o{n}"));
        let o = run_in(&here, &["convert", path, "--out", out.to_str().unwrap()]);
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        assert_eq!(bundles(&out).len(), 1, "{path}");
        assert_eq!(held(&out), counted(&out), "{path}");
    }
    for (n, name) in ["../../evil", "/abs/x", "..", "/", "../a/."]
        .into_iter()
        .enumerate()
    {
        let out = dir.join(format!("s{n}"));
        let stdin = std::fs::File::open(&whole).unwrap();
        let to = out.to_str().unwrap();
        let o = support::warifu(&["convert", "-", "--stdin-name", name, "--out", to])
            .current_dir(&here)
            .stdin(stdin)
            .output()
            .unwrap();
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        assert_eq!(bundles(&out).len(), 1, "{name}");
        assert_eq!(held(&out), counted(&out), "{name}");
    }
    // Nothing was written beside them.
    let beside = tree(dir).into_iter().map(|(path, _)| path);
    let own = |path: &String| path.starts_with(['o', 's']);
    let beside: Vec<String> = beside.filter(|path| !own(path)).collect();
    assert_eq!(beside, ["a/m", "here/a/m"]);
}

/// Two persons' messages under one name: in folders beside each other, given one by one, with `.` between.
#[test]
fn messages_of_one_name_have_a_file_each_in_whatever_order_and_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let one = result("0012300", "000000000000077", "202604011000", "5.0");
    let other = result("0045600", "000000000000078", "202604011000", "6.0");
    write(dir, "in/A/p/q/m", &one);
    write(dir, "in/B/p/q/m", &other);
    let inputs = dir.join("in");
    let made = |n: &str, paths: &[&str], more: &[&str]| {
        let out = dir.join(n);
        let fixed = ["--trace", "--out", out.to_str().unwrap()];
        let o = run_in(&inputs, &[&["convert"], paths, &fixed, more].concat());
        assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
        assert_eq!(bundles(&out).len(), 2, "{paths:?}");
        assert_eq!(held(&out), counted(&out), "{paths:?}");
        let names: std::collections::BTreeSet<String> =
            bundles(&out).into_iter().map(|(path, _)| path).collect();
        let trace = std::fs::read_to_string(out.join("trace.ndjson")).unwrap();
        let lines = trace
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let traced = lines.filter_map(|l| Some(l["output"].as_str()?.to_owned()));
        assert_eq!(names, traced.collect(), "{paths:?}");
        bundles(&out)
    };
    let whole = made("a", &["A/p/q/m", "B/p/q/m"], &[]);
    assert_eq!(whole[0].0, "A/p/q_m.json");
    for (n, paths) in [
        ("b", &["B/p/q/m", "A/p/q/m"][..]),
        ("c", &["A", "B"]),
        ("d", &["B", "A"]),
        ("e", &["."]),
    ] {
        assert!(made(n, paths, &["--jobs", "2"]) == whole, "{paths:?}");
    }
    // Paths of which nothing but steps differs.
    let beside = inputs.join("A/p");
    std::fs::create_dir_all(beside.join("B/p/q")).unwrap();
    std::fs::copy(inputs.join("A/p/q/m"), beside.join("B/p/q/m")).unwrap();
    let paths = ["A/p/../../B/p/q/m", "A/p/B/p/q/m"];
    let first = made("f", &paths, &[]);
    // A run that goes on gives what it gave.
    assert!(made("f", &paths, &["--jobs", "2"]) == first);
    std::fs::remove_file(dir.join("f").join(&first[1].0)).unwrap();
    assert!(made("f", &paths, &[]) == first);
}

/// Files are put together by whom ids name: the same number, or name, in another encoding is the same person.
#[test]
fn a_person_is_the_same_in_every_encoding() {
    let message = |sent: &str, pid: &[u8], value: &str| {
        let whole = result("@", "9", sent, value);
        let (before, after) = whole.split_once("@^^^^PI\r").unwrap();
        [before.as_bytes(), pid, b"\r", after.as_bytes()].concat()
    };
    let wide = "１２３４".as_bytes();
    let none = |name: &[u8]| [b"||", name, b"||19680303|F"].concat();
    for (old, new) in [
        (wide.to_vec(), wide.to_vec()),
        (b"\x1b$B#1#2#3#4\x1b(B^^^^PI".to_vec(), wide.to_vec()),
        (b"0012^^^^PI".to_vec(), b"\x1b(J0012\x1b(B^^^^PI".to_vec()),
        (b"\x1b$BITL@\x1b(B".to_vec(), "不明".as_bytes().to_vec()),
        (
            b"\x82\x50\x82\x51\x82\x52\x82\x53^^^^PI".to_vec(),
            wide.to_vec(),
        ),
        (
            none("山田^厚".as_bytes()),
            none(b"\x1b$B;3ED\x1b(B^\x1b$B8|\x1b(B"),
        ),
        (
            none(b"\x1b$@;3ED\x1b(J^\x1b$B8|\x1b(B"),
            none(b"\x8e\x52\x93\x63^\x8c\xfa"),
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let files = [
            message("202604011100", &old, "6.0"),
            message("202604011300", &new, "7.0"),
        ];
        std::fs::create_dir_all(dir.join("a")).unwrap();
        std::fs::write(dir.join("a/1"), &files[0]).unwrap();
        std::fs::write(dir.join("a/2"), &files[1]).unwrap();
        // That one id has one content is held by `convert`.
        let apart = convert(dir, &["a"]);
        assert_eq!(apart.of("Patient").len(), 1, "{old:?}");
        assert_eq!(apart.values(), ["7.0"], "{old:?}");
        // Another's stay another's.
        let other = message("202604011400", b"99^^^^PI||X^Y||19680303|F", "8.0");
        std::fs::write(dir.join("a/3"), other).unwrap();
        assert_eq!(convert(dir, &["a"]).values(), ["7.0", "8.0"], "{old:?}");
    }
}

/// A file without a last terminator swallows no message that is put behind it: what is withdrawn stays withdrawn.
#[test]
fn a_message_behind_one_without_its_last_terminator_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let one = result("0012345", "9", "202604011100", "6.0");
    let withdrawn =
        result("0012345", "9", "202604011300", "6.0").replace("ORC|SC|9", "ORC|CA|9|||CA");
    let (withdrawn, _) = withdrawn.split_once("\rOBX").unwrap();
    let other = result("0099999", "8", "202604011200", "8.0");
    let files = [one.trim_end(), withdrawn, other.trim_end()];
    for (n, file) in files.iter().enumerate() {
        write(dir, &format!("a/{n}.hl7"), file);
    }
    write(dir, "b.hl7", &files.concat());
    let (apart, one) = (convert(dir, &["a"]), convert(dir, &["b.hl7"]));
    assert_eq!(one.values(), ["8.0"]);
    assert_eq!(one.resources, apart.resources);
    assert_eq!(one.found("HL7106").len(), 3);
    assert_eq!(one.found("HL7111").len(), 1);
}
