//! `warifu consent` as a user runs it: from a key to a log whose damage is found.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::{fixtures, run, text, warifu};

const NOW: &str = "1790000100";
const CLINIC: &str = "mi:1312345678";
const SOURCE: &str = "mi:1319999999";
const PERSON: &str = "CANARY-PERSON-4711";

struct Here {
    dir: tempfile::TempDir,
}

impl Here {
    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }
    fn at(&self, now: &str, args: &[&str]) -> Output {
        let o = warifu(&[&["consent"], args, &["--now", now]].concat())
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        let shown = text(&o.stdout) + &text(&o.stderr);
        // Neither a private key nor the person's number is ever shown.
        for secret in ["PRIVATE KEY", "\"d\":", PERSON] {
            assert!(!shown.contains(secret), "{args:?} shows {secret}");
        }
        o
    }
    fn ok(&self, args: &[&str]) -> Value {
        let o = self.at(NOW, &[args, &["--json"]].concat());
        assert_eq!(
            o.status.code(),
            Some(0),
            "{args:?}: {}{}",
            text(&o.stdout),
            text(&o.stderr)
        );
        serde_json::from_slice(&o.stdout).unwrap_or(Value::Null)
    }
    fn refused(&self, args: &[&str]) -> Value {
        let o = self.at(NOW, &[args, &["--json"]].concat());
        assert_eq!(o.status.code(), Some(1), "{args:?}: {}", text(&o.stderr));
        serde_json::from_slice(&o.stdout).unwrap()
    }
    /// A mistake, and what it says.
    fn mistake(&self, args: &[&str]) -> String {
        let o = self.at(NOW, args);
        assert_eq!(o.status.code(), Some(2), "{args:?}: {}", text(&o.stdout));
        assert_eq!(text(&o.stdout), "");
        text(&o.stderr)
    }
    fn key(&self, name: &str) -> String {
        let file = format!("{name}.pem");
        let made = self.ok(&["keygen", "--out", &file]);
        fs::write(self.path(&format!("{name}.jwk")), made["jwk"].to_string()).unwrap();
        made["kid"].as_str().unwrap().to_owned()
    }
    fn enrol(&self, name: &str, person: &str, more: &[&str]) -> Value {
        let jwk = format!("{name}.jwk");
        let args = [
            &[
                "consent", "enrol", &jwk, "--person", "-", "--json", "--now", NOW,
            ],
            more,
        ]
        .concat();
        let mut child = warifu(&args)
            .current_dir(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(person.as_bytes())
            .unwrap();
        let o = child.wait_with_output().unwrap();
        assert_eq!(o.status.code(), Some(0));
        assert!(!text(&o.stdout).contains(person));
        serde_json::from_slice(&o.stdout).unwrap()
    }
    fn request(&self, sub: &str, pur: &str, cats: &str, out: &str) {
        self.ok(&[
            "request", "--sub", sub, "--aud", CLINIC, "--pur", pur, "--cat", cats, "--out", out,
        ]);
    }
}

/// A desk with two facilities, and a person with a key.
fn desk() -> (Here, String) {
    let here = Here {
        dir: tempfile::tempdir().unwrap(),
    };
    let made = here.ok(&[
        "init",
        "desk",
        "--origin",
        "c.example.jp/consent-log",
        "--uri",
        "https://c.example.jp/s/1",
        "--contact",
        "架空割符病院 03-0000-0000",
    ]);
    fs::write(here.path("log-key.json"), made.to_string()).unwrap();
    let master = json!({"v": 1, "version": 1, "contact": "架空割符病院 03-0000-0000", "facilities": [
        {"code": CLINIC, "ja": "架空割符診療所", "en": "Kaku Warifu Clinic"},
        {"code": SOURCE, "ja": "架空割符病院", "en": ""}]});
    fs::write(here.path("desk/master.json"), master.to_string()).unwrap();
    here.key("patient");
    let sub = here.enrol("patient", PERSON, &[])["sub"]
        .as_str()
        .unwrap()
        .to_owned();
    (here, sub)
}

fn grant(here: &Here, sub: &str, cats: &str, name: &str) -> Value {
    let (request, annex, out) = (
        format!("{name}.req"),
        format!("{name}.annex"),
        format!("{name}.jwt"),
    );
    here.request(sub, "TREAT", cats, &request);
    here.ok(&[
        "grant",
        &request,
        "--key",
        "patient.pem",
        "--annex",
        &annex,
        "--agree",
        "--out",
        &out,
    ]);
    here.ok(&["verify", &out, "--annex", &annex, "--accept"])
}

#[test]
fn from_a_key_to_a_revoked_grant_and_a_log_whose_damage_is_found() {
    let (here, sub) = desk();
    let asks = |verb: &'static str, cat: &'static str| -> Vec<String> {
        [
            verb, "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", cat,
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let ask = |verb, cat| {
        let args = asks(verb, cat);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        here.at(NOW, &[&args[..], &["--json"]].concat())
    };
    let reason = |o: &Output| serde_json::from_slice::<Value>(&o.stdout).unwrap()["reason"].clone();
    let before = ask("decide", "inf.lab");
    assert_eq!(
        (before.status.code(), reason(&before)),
        (Some(1), json!("NO_GRANT"))
    );

    // The text is shown first; nothing is signed without agreement.
    here.request(&sub, "TREAT", "demo,inf.condition,inf.lab,inf.rx", "a.req");
    let shown = here.refused(&[
        "grant",
        "a.req",
        "--key",
        "patient.pem",
        "--annex",
        "a.annex",
    ]);
    assert_eq!(shown["signed"], json!(false));
    assert!(
        shown["text"]
            .as_str()
            .unwrap()
            .contains("Kaku Warifu Clinic")
    );
    assert!(!Path::new(&here.path("a.annex")).exists());
    let args = [
        "grant",
        "a.req",
        "--key",
        "patient.pem",
        "--annex",
        "a.annex",
        "--cat",
        "demo,inf.lab,inf.rx",
        "--agree",
        "--out",
        "a.jwt",
    ];
    let made = here.ok(&args);
    assert_eq!(made["signed"], json!(true));

    // Verified, accepted once, and a retry is no second grant.
    let sized = fs::read(here.path("desk/accepted.ndjson")).unwrap().len();
    assert_eq!(
        here.refused(&["verify", "a.jwt"])["reason"],
        json!("ANNEX_MISSING")
    );
    assert_eq!(
        here.ok(&["verify", "a.jwt", "--annex", "a.annex"])["ok"],
        json!(true)
    );
    assert_eq!(
        fs::read(here.path("desk/accepted.ndjson")).unwrap().len(),
        sized
    );
    let accepted = here.ok(&["verify", "a.jwt", "--annex", "a.annex", "--accept"]);
    assert!(accepted["receipt"].as_str().unwrap().split('.').count() == 3);
    assert_eq!(
        here.ok(&["verify", "a.jwt", "--annex", "a.annex", "--accept"])["status"],
        json!("valid")
    );
    let mut forged = fs::read_to_string(here.path("a.jwt")).unwrap();
    let at = forged.rfind('.').unwrap() + 5;
    let other = if &forged[at..=at] == "A" { "B" } else { "A" };
    forged.replace_range(at..=at, other);
    fs::write(here.path("forged.jwt"), forged).unwrap();
    assert_eq!(
        here.refused(&["verify", "forged.jwt", "--annex", "a.annex"])["reason"],
        json!("SIG")
    );

    // Decided by the same rules everywhere.
    let open = ask("decide", "inf.lab");
    assert_eq!(
        (open.status.code(), reason(&open)),
        (Some(0), json!("PERMITTED"))
    );
    assert_eq!(reason(&ask("decide", "inf.condition")), json!("CATEGORY"));
    let told: Value = serde_json::from_slice(&ask("explain", "prc.surgery").stdout).unwrap();
    let chain = told["chain"].to_string();
    for part in [
        "Kaku Warifu Clinic",
        "D7: ",
        "D11: Not shown",
        "(deny CATEGORY)",
    ] {
        assert!(chain.contains(part), "{part} in {chain}");
    }
    assert!(!chain.contains("D9"), "{chain}");
    assert!(told["sentence"].as_str().unwrap().starts_with("Not shown"));
    assert_eq!(told["told"], json!("NOT_AVAILABLE"));
    for (lang, word) in [("ja", "架空割符診療所"), ("ja-easy", "見て いいか")] {
        let args = asks("explain", "prc.surgery");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let o = here.at(NOW, &[&args[..], &["--text-lang", lang]].concat());
        assert!(text(&o.stdout).contains(word), "{}", text(&o.stdout));
    }

    // A Bundle that the converter makes is cut to what was granted.
    let root = fixtures("standard_root");
    let o = run(&[
        "convert",
        root.to_str().unwrap(),
        "--to",
        "bundle",
        "--per",
        "patient",
        "--bundle",
        "collection",
        "--institution",
        "1319999999",
        "-qq",
    ]);
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    let whole = text(&o.stdout).lines().next().unwrap().to_owned();
    // It is another's Bundle until a number of its Patient is the person's.
    fs::write(here.path("bundle.json"), &whole).unwrap();
    let number = {
        let whole: Value = serde_json::from_str(&whole).unwrap();
        let entries = whole["entry"].as_array().unwrap();
        let patient = entries
            .iter()
            .find(|e| e["resource"]["resourceType"] == "Patient");
        let number = &patient.unwrap()["resource"]["identifier"][0]["value"];
        number.as_str().unwrap().to_owned()
    };
    let filter = [
        "filter",
        "bundle.json",
        "--sub",
        &sub,
        "--as",
        CLINIC,
        "--pur",
        "TREAT",
        "--src",
        SOURCE,
        "--role",
        "physician",
        "--out",
        "out.json",
        "--withheld",
        "withheld.json",
    ];
    assert_eq!(here.ok(&filter)["categories"], json!([]));
    fs::write(here.path("bundle.json"), whole.replace(&number, PERSON)).unwrap();
    let summary = here.ok(&filter);
    let kinds = |text: &str| {
        let v: Value = serde_json::from_str(text).unwrap();
        let entries = v["entry"].as_array().cloned().unwrap_or_default();
        let mut kinds: Vec<String> = entries
            .iter()
            .map(|e| e["resource"]["resourceType"].as_str().unwrap().to_owned())
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    assert!(kinds(&whole).contains(&"Condition".to_owned()));
    let out = fs::read_to_string(here.path("out.json")).unwrap();
    assert!(
        !kinds(&out).contains(&"Condition".to_owned()),
        "{:?}",
        kinds(&out)
    );
    assert!(kinds(&out).contains(&"Patient".to_owned()));
    let withheld: Value =
        serde_json::from_str(&fs::read_to_string(here.path("withheld.json")).unwrap()).unwrap();
    assert!(
        withheld
            .as_array()
            .unwrap()
            .iter()
            .any(|w| w["type"] == "Condition")
    );
    assert!(!summary.to_string().contains("Condition"));

    // The disclosure is a line; the line is proven; the proof fails for another line.
    let appended = &summary["line"];
    let index = appended["index"].to_string();
    let leaf = appended["leaf"].as_str().unwrap().to_owned();
    let line: Value = serde_json::from_str(appended["line"].as_str().unwrap()).unwrap();
    assert_eq!(line["kind"], json!("disclose"));
    assert_eq!(line["areq"], summary["sha256"]);
    // What goes out says by whose decision: a Provenance that the server signed, and the line's place.
    let out: Value = serde_json::from_str(&out).unwrap();
    let last = &out["entry"].as_array().unwrap().last().unwrap()["resource"];
    assert_eq!(last["resourceType"], json!("Provenance"));
    assert!(last.to_string().contains(&leaf), "{last}");
    assert!(last["signature"][0]["data"].is_string());
    assert!(
        here.mistake(&["log", "prove", &index])
            .contains("log publish")
    );
    let published = here.ok(&["log", "publish"]);
    here.ok(&["log", "prove", &index, "--out", "proof.txt"]);
    assert_eq!(
        here.ok(&["log", "check", "proof.txt", "--leaf", &leaf])["ok"],
        json!(1)
    );
    // A witness that is named counts, unless it is said that none has to.
    let public =
        warifu_consent::b64::decode_array("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let purpose = warifu_log::Purpose::Cosignature;
    let witness = warifu_log::NoteKey::new("w.example/a", purpose, &public);
    let witness = witness.unwrap().text();
    let named = ["log", "check", "proof.txt", "--leaf", &leaf, "--witness"];
    let named = [&named[..], &[&witness]].concat();
    assert_eq!(here.refused(&named)["reason"], "WITNESS_QUORUM");
    assert_eq!(
        here.ok(&[&named[..], &["--quorum", "0"]].concat())["ok"],
        json!(1)
    );
    // The log goes on from what was pinned: proven later, and checked without the log.
    let pinned = [
        published["size"].to_string(),
        published["root"].as_str().unwrap().to_owned(),
    ];
    let pin = ["--pin-size", &pinned[0], "--pin-root", &pinned[1]];
    fs::write(
        here.path("decline.json"),
        json!({"kind": "decline", "sub": sub, "req": "AAECAwQFBgcICQoLDA0ODw"}).to_string(),
    )
    .unwrap();
    for _ in 0..3 {
        here.ok(&["log", "append", "decline.json"]);
    }
    here.ok(&["log", "publish"]);
    let way = ["--consistency", "way.txt"];
    let prove = ["log", "prove", &index, "--out", "later.txt"];
    here.ok(&[&prove[..], &pin[..2], &way].concat());
    let check = ["log", "check", "later.txt", "--leaf", &leaf];
    let good = here.ok(&[&check[..], &pin, &way].concat());
    assert_eq!((&good["ok"], &good["pin_size"]), (&json!(1), &json!(9)));
    assert_eq!(
        here.refused(&[&check[..], &pin].concat())["reason"],
        json!("CONSISTENCY")
    );
    assert!(
        here.mistake(&[&prove[..], &["--pin-size", "99"], &way].concat())
            .contains("1 to 9")
    );
    let lines = here.at(NOW, &["log", "history", "--sub", &sub]);
    fs::write(here.path("history.ndjson"), &lines.stdout).unwrap();
    // Without a pin or a proof nothing stands behind the newest line, and that is a finding.
    let check_history = ["log", "check-history", "history.ndjson", "--sub", &sub];
    let head = here.refused(&check_history);
    assert_eq!(
        (&head["reason"], &head["newest"]),
        (&json!("HISTORY_UNPROVEN"), &json!("unproven"))
    );
    assert!(text(&here.at(NOW, &check_history).stdout).contains("--proof"));
    here.ok(&["log", "prove", "--sub", &sub, "--out", "newest.txt"]);
    let proven = [&check_history[..], &["--proof", "newest.txt"]].concat();
    assert_eq!(here.ok(&proven)["newest"], json!("proven"));
    let at = head["n"].to_string();
    let pinned = head["head"].as_str().unwrap();
    let pinned = [&check_history[..], &["--pin-n", &at, "--pin-head", pinned]].concat();
    assert_eq!(here.ok(&pinned)["newest"], json!("pinned"));
    // Another recipient in the newest line, and the newest line cut off.
    let whole = text(&lines.stdout);
    let cut = whole.trim_end().rsplit_once('\n').unwrap().0.to_owned();
    let newest = whole.trim_end().rsplit_once('\n').unwrap().1;
    let altered = newest.replacen("\\\"at\\\":1790", "\\\"at\\\":1789", 1);
    assert_ne!(altered, newest);
    for other in [format!("{cut}\n{altered}\n"), cut.clone() + "\n"] {
        fs::write(here.path("history.ndjson"), &other).unwrap();
        for checked in [&check_history[..], &proven, &pinned] {
            assert!(here.refused(checked)["reason"].is_string());
        }
    }
    fs::write(here.path("history.ndjson"), &whole).unwrap();
    assert_eq!(
        head["n"],
        json!(6),
        "key, grant, refusal, disclosure, three more"
    );
    let wrong = head["head"].as_str().unwrap();
    let wrong = if wrong == leaf {
        published["root"].as_str().unwrap()
    } else {
        wrong
    };
    let swapped = leaf.replace(
        leaf.chars().next().unwrap(),
        if leaf.starts_with('A') { "B" } else { "A" },
    );
    assert!(
        here.refused(&["log", "check", "proof.txt", "--leaf", &swapped])["reason"].is_string(),
        "{wrong}"
    );
    let history = text(&lines.stdout);
    let gap: Vec<&str> = history
        .lines()
        .enumerate()
        .filter(|(n, _)| *n != 1)
        .map(|(_, l)| l)
        .collect();
    fs::write(here.path("gap.ndjson"), gap.join("\n")).unwrap();
    assert_eq!(
        here.refused(&["log", "check-history", "gap.ndjson", "--sub", &sub])["reason"],
        json!("HISTORY_GAP")
    );

    // Ended: the same second refuses.
    here.ok(&[
        "revoke",
        "a.jwt",
        "--key",
        "patient.pem",
        "--out",
        "end.jwt",
    ]);
    here.ok(&["verify", "end.jwt", "--accept"]);
    let after = ask("decide", "inf.lab");
    assert_eq!(
        (after.status.code(), reason(&after)),
        (Some(1), json!("REVOKED"))
    );
    assert_eq!(
        here.refused(&["verify", "a.jwt", "--annex", "a.annex"])["status"],
        json!("revoked")
    );
    here.ok(&filter);
    let out = fs::read_to_string(here.path("out.json")).unwrap();
    assert_eq!(kinds(&out), Vec::<String>::new());

    // Every damage to the log's file is found: an altered, a dropped and a cut line.
    assert_eq!(here.ok(&["log", "verify"])["ok"], json!(true));
    let entries = here.path("desk/log/entries");
    let good = fs::read(&entries).unwrap();
    let lines: Vec<&[u8]> = good.split_inclusive(|b| *b == b'\n').collect();
    let altered = text(&good)
        .replacen("\"role\":\"physician\"", "\"role\":\"pharmacist\"", 1)
        .into_bytes();
    let dropped = [&lines[..1], &lines[2..]].concat().concat();
    let cut = lines[..lines.len() - 1].concat();
    let swapped = [&[lines[1], lines[0]], &lines[2..]].concat().concat();
    let doubled = [&lines[..], &[lines[lines.len() - 1]]].concat().concat();
    for damaged in [altered, dropped, cut, swapped, doubled] {
        assert_ne!(damaged, good);
        fs::write(&entries, &damaged).unwrap();
        assert_eq!(here.refused(&["log", "verify"])["ok"], json!(false));
        // What is evidence stays: by this command, and by one that would write.
        here.at(NOW, &["log", "publish"]);
        assert!(fs::read(&entries).unwrap() == damaged);
    }
    // What an interrupted write left is told, and stays until the next write.
    let torn = [&good[..], b"000001"].concat();
    fs::write(&entries, &torn).unwrap();
    let told = here.ok(&["log", "verify"]);
    assert_eq!(
        (&told["ok"], &told["unfinished_bytes"]),
        (&json!(true), &json!(6))
    );
    assert!(fs::read(&entries).unwrap() == torn);
    fs::write(&entries, good).unwrap();
    assert_eq!(here.ok(&["log", "verify"])["ok"], json!(true));
}

#[test]
fn what_was_lost_opens_nothing() {
    let (here, sub) = desk();
    here.request(&sub, "TREAT", "demo,inf.lab", "a.req");
    here.ok(&[
        "grant",
        "a.req",
        "--key",
        "patient.pem",
        "--annex",
        "a.annex",
        "--uses",
        "1",
        "--agree",
        "--out",
        "a.jwt",
    ]);
    here.ok(&["verify", "a.jwt", "--annex", "a.annex", "--accept"]);
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);

    // Nobody is proxy, nobody is a person without a key; a file without end is read to its bound.
    let nobody = "s1.AAAAAAAAAAAAAAAAAAAAAA";
    for who in [[nobody, "subject"], [nobody, "proxy"], [&sub, "proxy"]] {
        let args = [
            "decide", "--sub", who[0], "--as", who[1], "--pur", "PATRQT", "--cat", "inf.lab",
        ];
        assert!(here.mistake(&args).contains("enrol"), "{who:?}");
    }
    #[cfg(target_os = "linux")]
    assert!(
        here.mistake(&["verify", "a.jwt", "--annex", "/dev/zero"])
            .contains("64 MiB")
    );

    // One look was granted.
    let lab = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "identifier": [{"value": PERSON}]}},
        {"resource": {"resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "code": "3A015000002327101"}]},
            "effectiveDateTime": "2026-08-01", "valueQuantity": {"value": 4.1}}}]});
    fs::write(here.path("lab.json"), lab.to_string()).unwrap();
    let filter = [
        "filter", "lab.json", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--src", SOURCE,
        "--out", "out.json",
    ];
    let first = here.ok(&filter);
    assert_eq!(first["categories"], json!(["demo", "inf.lab"]));
    let second = here.ok(&filter);
    assert_eq!(second["categories"], json!([]));
    let out = fs::read_to_string(here.path("out.json")).unwrap();
    assert!(!out.contains("3A0150"), "{out}");

    // The withdrawal that the log tells of is missing: nothing opens, and it can be brought again.
    let ask = &[&ask[..], &["--src", SOURCE]].concat();
    let accepted = fs::read(here.path("desk/accepted.ndjson")).unwrap();
    here.ok(&[
        "revoke",
        "a.jwt",
        "--key",
        "patient.pem",
        "--out",
        "end.jwt",
    ]);
    here.ok(&["verify", "end.jwt", "--accept"]);
    fs::write(here.path("desk/accepted.ndjson"), accepted).unwrap();
    assert!(here.mistake(ask).contains("verify FILE --accept"));
    assert!(here.mistake(&filter).contains("verify FILE --accept"));
    here.ok(&["verify", "end.jwt", "--accept"]);
    assert_eq!(here.refused(ask)["reason"], json!("REVOKED"));

    // A log that is gone is no empty log.
    fs::remove_dir_all(here.path("desk/log")).unwrap();
    let gone = here.refused(&["log", "verify"]);
    assert!(gone["reason"].as_str().unwrap().contains("accepted token"));
    assert!(here.mistake(ask).contains("log"));
}

/// The recipient's side: nothing is handed on that is not logged, or is another's, or was altered.
#[test]
fn a_bundle_without_its_evidence_is_not_handed_on() {
    let (here, sub) = desk();
    let log = serde_json::from_slice::<Value>(&fs::read(here.path("log-key.json")).unwrap());
    let log = log.unwrap()["log"].as_str().unwrap().to_owned();
    grant(&here, &sub, "demo,inf.lab", "a");
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "identifier": [{"value": PERSON}], "name": [{"text": "架空 花子"}]}}]});
    fs::write(here.path("bundle.json"), bundle.to_string()).unwrap();
    here.ok(&[
        "filter",
        "bundle.json",
        "--sub",
        &sub,
        "--as",
        CLINIC,
        "--pur",
        "TREAT",
        "--src",
        SOURCE,
        "--out",
        "sent.json",
        "--evidence",
        "evidence.json",
    ]);
    let sent = fs::read_to_string(here.path("sent.json")).unwrap();
    assert!(sent.contains("Provenance"), "{sent}");
    let keys = fs::read_to_string(here.path("desk/keys.json")).unwrap();
    let keys: Value = serde_json::from_str(&keys).unwrap();
    let server = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|k| k["class"] == "server")
        .unwrap();
    let x = server["x"].as_str().unwrap();
    let server = json!({"crv": "Ed25519", "kty": "OKP", "x": x});
    fs::write(here.path("server.jwk"), server.to_string()).unwrap();

    let args = |bundle: &str, evidence: &str, more: &[&str]| -> Vec<String> {
        let fixed = [
            "receive",
            bundle,
            "--evidence",
            evidence,
            "--sub",
            &sub,
            "--log-key",
            &log,
            "--out",
            "received.json",
        ];
        [&fixed[..], more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let good = ["--as", CLINIC, "--pur", "TREAT"];
    let signed = [&good[..], &["--server-key", "server.jwk"]].concat();
    let refused = |bundle: &str, evidence: &str, more: &[&str]| -> String {
        let args = args(bundle, evidence, more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let found = here.refused(&args);
        assert!(!Path::new(&here.path("received.json")).exists());
        assert_eq!(found["ok"], json!(0));
        found["reason"].as_str().unwrap().to_owned()
    };
    // Another's, for something else, or asked for by somebody else.
    for (more, reason) in [
        (["--as", SOURCE, "--pur", "TREAT"], "LINE_RECIPIENT"),
        (["--as", CLINIC, "--pur", "CAREMGT"], "LINE_PURPOSE"),
    ] {
        assert_eq!(refused("sent.json", "evidence.json", &more), reason);
    }
    // Altered on its way, or the evidence is.
    let altered = sent.replace("架空 花子", "架空 花代");
    assert_ne!(altered, sent);
    fs::write(here.path("altered.json"), &altered).unwrap();
    assert_eq!(
        refused("altered.json", "evidence.json", &good),
        "LINE_REQUEST"
    );
    // Its Provenance names somebody else than its signature.
    let mut named: Value = serde_json::from_str(&sent).unwrap();
    let last = named["entry"].as_array().unwrap().len() - 1;
    named["entry"][last]["resource"]["agent"][1]["who"]["identifier"]["value"] =
        json!("1319999998");
    fs::write(here.path("named.json"), named.to_string()).unwrap();
    assert_eq!(
        refused("named.json", "evidence.json", &signed),
        "LINE_REQUEST"
    );
    let evidence = fs::read_to_string(here.path("evidence.json")).unwrap();
    let mut cut: Value = serde_json::from_str(&evidence).unwrap();
    cut.as_object_mut().unwrap().remove("promise");
    fs::write(here.path("cut.json"), cut.to_string()).unwrap();
    assert_eq!(refused("sent.json", "cut.json", &good), "PROOF_FORM");
    // Signed by somebody else, or not at all.
    let patient = [&good[..], &["--server-key", "patient.jwk"]].concat();
    assert_eq!(
        refused("sent.json", "evidence.json", &patient),
        "KEY_UNKNOWN"
    );
    // Whoever has all of it gets the Bundle, byte for byte.
    let args = args("sent.json", "evidence.json", &signed);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let told = here.ok(&args);
    assert_eq!(told["ok"], json!(1), "{told}");
    assert!(told["due"].is_u64(), "{told}");
    assert_eq!(
        fs::read_to_string(here.path("received.json")).unwrap(),
        sent
    );
    // Where nothing is said of the log's key or of witnesses, nothing is checked: a mistake.
    fs::remove_file(here.path("received.json")).unwrap();
    let unknown: Vec<&str> = args
        .iter()
        .map(|a| if *a == log { "no-key" } else { a })
        .collect();
    assert!(here.mistake(&unknown).contains("--log-key"));
    assert!(!Path::new(&here.path("received.json")).exists());
}

/// A number stands for one content: what was shown and signed under it is judged by it.
#[test]
fn a_version_of_policy_or_master_never_changes() {
    let (here, sub) = desk();
    grant(&here, &sub, "demo,inf.lab", "a");
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab", "--src",
        SOURCE,
    ];
    here.ok(&ask);
    // Both stand in the log, and their bytes are kept by their hash.
    let log = fs::read_to_string(here.path("desk/log/entries")).unwrap();
    let lines = |what: &str| log.matches(&format!("\"what\":\"{what}\"")).count();
    assert_eq!((lines("policy"), lines("master")), (1, 1));
    let kept = || fs::read_dir(here.path("desk/versions")).unwrap().count();
    assert_eq!(kept(), 2);

    let policy = fs::read_to_string(here.path("desk/policy.json")).unwrap();
    let master = fs::read_to_string(here.path("desk/master.json")).unwrap();
    let write = |file: &str, text: &str| fs::write(here.path(file), text).unwrap();
    let renamed = master.replace("架空割符診療所", "架空割符病院分院");
    // The same number with other content: for every command that shows, judges or decides.
    let wider = policy.replace("\"notice_days\": 30", "\"notice_days\": 0");
    for (file, good, bad) in [
        ("desk/policy.json", &policy, &wider),
        ("desk/master.json", &master, &renamed),
    ] {
        assert_ne!(good, bad);
        write(file, bad);
        for told in [
            here.mistake(&ask),
            here.mistake(&["verify", "a.jwt", "--annex", "a.annex"]),
            here.mistake(&["revoke", "a.jwt", "--key", "patient.pem"]),
        ] {
            assert!(
                told.contains("VERSION_CHANGED") && told.contains("version 2"),
                "{told}"
            );
        }
        let found = here.refused(&["log", "verify"]);
        assert_eq!(found["code"], json!("VERSION_CHANGED"));
        write(file, good);
        here.ok(&ask);
    }
    // A table that moves under what was signed is no new version, whatever its number.
    let moved = policy
        .replace("\"version\": 1,", "\"version\": 2,")
        .replacen("\"5E\", \"5F\"", "\"5F\"", 1);
    write("desk/policy.json", &moved);
    assert!(
        here.mistake(&ask)
            .contains("VERSION_BREAKS: texts of policy.json")
    );
    write("desk/policy.json", &policy);

    // A request that shows version 1 is accepted after version 2 of the master came: its text is of 1.
    here.request(&sub, "TREAT", "demo,inf.rx", "b.req");
    here.ok(&[
        "grant",
        "b.req",
        "--key",
        "patient.pem",
        "--annex",
        "b.annex",
        "--agree",
        "--out",
        "b.jwt",
    ]);
    let next = renamed.replace("\"version\":1", "\"version\":2");
    assert_ne!(next, renamed);
    write("desk/master.json", &next);
    here.ok(&["verify", "b.jwt", "--annex", "b.annex", "--accept"]);
    here.ok(&ask);
    assert_eq!(kept(), 3);
    write("desk/master.json", &master);
    assert!(here.mistake(&ask).contains("VERSION_OLDER"));
    write("desk/master.json", &next);

    // What was in force is missing, or another: nothing is decided, and the check names it.
    let first = fs::read_dir(here.path("desk/versions"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| fs::read(p).unwrap() == master.as_bytes())
        .unwrap();
    fs::remove_file(&first).unwrap();
    assert!(here.mistake(&ask).contains("VERSION_LOST"));
    assert_eq!(
        here.refused(&["log", "verify"])["code"],
        json!("VERSION_LOST")
    );
    fs::write(&first, renamed.as_bytes()).unwrap();
    assert!(here.mistake(&ask).contains("VERSION_LOST"));
    fs::write(&first, master.as_bytes()).unwrap();
    here.ok(&ask);
    assert_eq!(here.ok(&["log", "verify"])["ok"], json!(true));
}

/// The lines of the log are dated in their order, and a checkpoint that was published does not vanish.
#[test]
fn back_dated_lines_and_a_checkpoint_that_is_gone_are_found() {
    let (here, sub) = desk();
    grant(&here, &sub, "demo,inf.lab", "a");
    let verify = |now: &str| {
        let o = here.at(now, &["log", "verify", "--json"]);
        let value: Value = serde_json::from_slice(&o.stdout).unwrap();
        (o.status.code(), value)
    };
    let published = here.ok(&["log", "publish"]);
    let (code, good) = verify(NOW);
    assert_eq!((code, &good["published"]), (Some(0), &published["size"]));

    let own = here.path("desk/log/checkpoint");
    let note = fs::read(&own).unwrap();
    fs::remove_file(&own).unwrap();
    let (code, found) = verify(NOW);
    assert_eq!((code, &found["code"]), (Some(1), &json!("CHECKPOINT_GONE")));
    assert!(found["reason"].as_str().unwrap().contains("log publish"));
    here.ok(&["log", "publish"]);
    assert!(fs::read(&own).unwrap() == note);
    assert_eq!(verify(NOW).0, Some(0));
    // The copy apart holds the lines, too: without its end the log is no continuation of it.
    let copy = fs::read_to_string(here.path("desk/checkpoint")).unwrap();
    assert_eq!(copy.as_bytes(), note);

    let history = |now: &str| {
        let lines = here.at(NOW, &["log", "history", "--sub", &sub]).stdout;
        fs::write(here.path("history.ndjson"), lines).unwrap();
        let args = [
            "log",
            "check-history",
            "history.ndjson",
            "--sub",
            &sub,
            "--json",
        ];
        let o = here.at(now, &args);
        serde_json::from_slice::<Value>(&o.stdout).unwrap()
    };
    // Dated later than the clock at hand.
    let early = "1789999000";
    assert_eq!(verify(early).1["code"], json!("LINE_FUTURE"));
    assert_eq!(history(early)["reason"], json!("HISTORY_FUTURE"));
    assert!(history(NOW)["head"].is_string());
    // A store that writes a line as if it had been there before.
    let line = json!({"kind": "decline", "sub": sub, "req": "AAAAAAAAAAAAAAAAAAAAAA"});
    fs::write(here.path("line.json"), line.to_string()).unwrap();
    let o = here.at(early, &["log", "append", "line.json"]);
    assert_eq!(o.status.code(), Some(0));
    let (code, found) = verify(NOW);
    assert_eq!((code, &found["code"]), (Some(1), &json!("LINE_BACKDATED")));
    assert_eq!(history(NOW)["reason"], json!("HISTORY_BACKDATED"));
}

#[test]
fn what_could_never_be_accepted_is_refused_before_it_is_signed() {
    let (here, sub) = desk();
    let request = |aud: &str, pur: &str, cat: &str, more: &[&str]| {
        let args = [
            "request", "--sub", &sub, "--aud", aud, "--pur", pur, "--cat", cat,
        ];
        here.mistake(&[&args[..], more].concat())
    };
    for (told, value, next) in [
        (
            request("foo", "TREAT", "inf.lab", &[]),
            "foo",
            "mi: and 10 digits",
        ),
        (
            request("mi:1300000000", "TREAT", "inf.lab", &[]),
            "mi:1300000000",
            "desk/master.json",
        ),
        (request("mi:*", "TREAT", "inf.lab", &[]), "mi:*", "ETREAT"),
        (
            request(CLINIC, "TREET", "inf.lab", &[]),
            "TREET",
            "Did you mean TREAT?",
        ),
        (
            request(CLINIC, "ANON", "inf.lab", &[]),
            "ANON",
            "consent object",
        ),
        (
            request(CLINIC, "PUBHLTH", "inf.infection", &[]),
            "PUBHLTH",
            "rests on a statute",
        ),
        (
            request(CLINIC, "HPAYMT", "vis.history,inf.lab", &[]),
            "inf.lab",
            "No consent opens it",
        ),
        (
            request(CLINIC, "TREAT", "inf.labs", &[]),
            "inf.labs",
            "Did you mean inf.lab?",
        ),
        (
            request(CLINIC, "TREAT", "inf.lab,prc.surgery", &[]),
            "prc.surgery",
            "--cat prc.surgery alone",
        ),
        (
            request(CLINIC, "TREAT", "inf.lab", &["--days", "100000"]),
            "--days",
            "1 to",
        ),
        (
            request(CLINIC, "TREAT", "inf.lab", &["--from", "2026-13-01"]),
            "--from",
            "2026-04-01",
        ),
        (
            request(
                CLINIC,
                "TREAT",
                "inf.lab",
                &["--from", "2026-05-01", "--to", "2026-04-01"],
            ),
            "--from",
            "before",
        ),
        (
            here.mistake(&[
                "request", "--sub", "garbage", "--aud", CLINIC, "--pur", "TREAT", "--cat",
                "inf.lab",
            ]),
            "--sub",
            "enrol",
        ),
    ] {
        assert!(told.contains(value) && told.contains(next), "{told}");
    }
    here.request(&sub, "TREAT", "inf.lab", "a.req");
    let grant = |more: &[&str]| {
        let args = [
            "grant",
            "a.req",
            "--key",
            "patient.pem",
            "--annex",
            "a.annex",
            "--agree",
        ];
        here.mistake(&[&args[..], more].concat())
    };
    assert!(grant(&["--exclude-label", "psy"]).contains("PSY"));
    assert!(grant(&["--exclude-facility", "mi:1"]).contains("master.json"));
    assert!(grant(&["--exclude-item", "x"]).contains("begins with r."));
    let decide = |who: &str, pur: &str, more: &[&str]| {
        let args = ["decide", "--sub", &sub, "--as", who, "--pur", pur];
        here.mistake(&[&args[..], more].concat())
    };
    assert!(decide("zzz", "TREAT", &["--cat", "inf.lab"]).contains("zzz"));
    assert!(decide(CLINIC, "QQQ", &["--cat", "inf.lab"]).contains("QQQ"));
    assert!(decide(CLINIC, "TREAT", &[]).contains("--cat or --item"));
    assert!(decide(CLINIC, "TREAT", &["--cat", "inf.xyz"]).contains("inf.xyz"));
    assert!(
        here.mistake(&[
            "object",
            "--sub",
            &sub,
            "--key",
            "patient.pem",
            "--pur",
            "TREAT"
        ])
        .contains("ANON")
    );

    // A refusal says what to do; with --json a mistake is JSON as well.
    let out = ["--out", "a.jwt"];
    let sign = [
        "grant",
        "a.req",
        "--key",
        "patient.pem",
        "--annex",
        "a.annex",
        "--agree",
    ];
    here.ok(&[&sign[..], &out].concat());
    let refused = here.refused(&["verify", "a.jwt"]);
    assert!(refused["remedy"].as_str().unwrap().contains("--annex"));
    // What was signed is never overwritten, and its exclusions are the person's alone.
    assert!(here.mistake(&sign).contains("a.annex"));
    let mode = |name: &str| fs::metadata(here.path(name)).unwrap().permissions().mode() & 0o777;
    for private in [
        "a.annex",
        "desk/accepted.ndjson",
        "desk/issued.ndjson",
        "desk/log/entries",
    ] {
        assert_eq!(mode(private), 0o600, "{private}");
    }
    let o = here.at(NOW, &[&sign[..], &["--json"]].concat());
    assert_eq!(o.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&o.stderr).unwrap();
    assert_eq!(told["ok"], json!(false));

    // One key, one use; a theft is dated to the day it happened.
    let twice = [
        "register",
        "patient.jwk",
        "--class",
        "institution",
        "--code",
        CLINIC,
    ];
    assert!(here.mistake(&twice).contains("another class"));
    here.ok(&["verify", "a.jwt", "--annex", "a.annex", "--accept"]);
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);
    let stolen = [
        "register",
        "patient.jwk",
        "--class",
        "patient",
        "--state",
        "compromised",
    ];
    assert!(
        here.mistake(&[&stolen[..], &["--since", "2099-01-01"]].concat())
            .contains("--since")
    );
    here.ok(&[&stolen[..], &["--since", "2026-09-01"]].concat());
    assert_eq!(here.refused(&ask)["reason"], json!("REVOKED"));
    let lines = here.path("desk/accepted.ndjson");
    let broken = fs::read_to_string(&lines).unwrap() + "{}\n";
    fs::write(&lines, broken).unwrap();
    assert!(here.mistake(&ask).contains("line 3"));
}

#[test]
fn an_emergency_is_logged_first_and_answered_with_the_summary_on_top() {
    let (here, sub) = desk();
    here.key("clinic");
    here.ok(&[
        "register",
        "clinic.jwk",
        "--class",
        "institution",
        "--code",
        CLINIC,
        "--emergency",
    ]);
    let allergy = |id: &str, day: &str| {
        json!({"resource": {"resourceType": "AllergyIntolerance", "id": id, "category": ["food"],
            "code": {"text": id}, "patient": {"reference": "Patient/p"}, "recordedDate": day}})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "identifier": [{"value": PERSON}]}},
        allergy("old", "2020-01-01"), allergy("new", "2026-08-01"),
        {"resource": {"resourceType": "CarePlan", "id": "plan", "status": "active", "intent": "plan", "subject": {"reference": "Patient/p"}}}]});
    fs::write(here.path("b.json"), bundle.to_string()).unwrap();
    here.ok(&[
        "emergency",
        "--sub",
        &sub,
        "--key",
        "clinic.pem",
        "--reason",
        "unconscious",
        "--idm",
        "mynumber",
        "--role",
        "doctor",
        "--out",
        "bg.jwt",
    ]);
    let filter = [
        "filter",
        "b.json",
        "--sub",
        &sub,
        "--as",
        CLINIC,
        "--pur",
        "ETREAT",
        "--src",
        SOURCE,
        "--break-glass",
        "bg.jwt",
        "--out",
        "out.json",
    ];
    assert!(
        here.mistake(&filter)
            .contains("not accepted as break-glass+jwt")
    );
    here.ok(&["verify", "bg.jwt", "--accept"]);
    here.ok(&filter);
    let out: Value =
        serde_json::from_str(&fs::read_to_string(here.path("out.json")).unwrap()).unwrap();
    let order: Vec<String> = out["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            let r = &e["resource"];
            format!(
                "{} {}",
                r["resourceType"].as_str().unwrap(),
                r["id"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let kinds: Vec<&str> = order.iter().map(|o| o.trim_end()).collect();
    assert!(kinds[0].starts_with("Composition"), "{kinds:?}");
    assert_eq!(
        kinds[1..4],
        [
            "Patient p",
            "AllergyIntolerance new",
            "AllergyIntolerance old"
        ]
    );
    assert!(
        kinds[4].starts_with("Provenance") && kinds.len() == 5,
        "{kinds:?}"
    );
    let history = text(&here.at(NOW, &["log", "history", "--sub", &sub]).stdout);
    let at = |kind: &str| history.find(&format!(r#"\"kind\":\"{kind}\""#)).unwrap();
    assert!(at("breakglass") < at("disclose"));
    // Every resource says what binds whoever has it.
    assert!(
        out["entry"][2]["resource"]["meta"]["security"]
            .to_string()
            .contains("NORDSCLCD")
    );
}

#[test]
fn a_disaster_is_declared_for_where_the_register_has_the_clinic() {
    let (here, sub) = desk();
    here.key("authority");
    here.key("clinic");
    let clinic = [
        "register",
        "clinic.jwk",
        "--class",
        "institution",
        "--code",
        CLINIC,
    ];
    here.ok(&clinic);
    let declare = [
        "disaster",
        "--key",
        "authority.pem",
        "--area",
        "13",
        "--to",
        "2026-10-01",
        "--out",
        "declared.jwt",
    ];
    for (bad, why) in [
        (["--area", "131", "--to", "2026-10-01"], "JIS X 0401"),
        (
            ["--area", "13", "--to", "2026-09-01"],
            "no day before --from",
        ),
        (["--area", "13", "--to", "soon"], "looks like 2026-04-01"),
    ] {
        let args = [&["disaster", "--key", "authority.pem"][..], &bad].concat();
        assert!(here.mistake(&args).contains(why), "{why}");
    }
    here.ok(&declare);
    // Not by a key that nobody registered for it.
    let verify = ["verify", "declared.jwt", "--accept"];
    assert_eq!(here.refused(&verify)["reason"], json!("KEY_UNKNOWN"));
    here.ok(&["register", "authority.jwk", "--class", "disaster"]);
    let decide = |cat: &'static str, day: &str| {
        let args = [
            "decide",
            "--sub",
            &sub,
            "--as",
            CLINIC,
            "--pur",
            "DISASTER",
            "--cat",
            cat,
            "--disaster",
            "declared.jwt",
        ];
        let o = here.at(day, &args);
        text(&o.stdout) + &text(&o.stderr)
    };
    assert!(decide("inf.rx", NOW).contains("not accepted as disaster+jwt"));
    here.ok(&verify);
    // Nobody knows where the clinic is.
    assert!(decide("inf.rx", NOW).contains("DIS_INACTIVE"));
    let placed = |area: &str| here.ok(&[&clinic[..], &["--area", area]].concat());
    placed("27100");
    assert!(decide("inf.rx", NOW).contains("DIS_INACTIVE"));
    assert!(
        here.mistake(&[&clinic[..], &["--area", "13"]].concat())
            .contains("5 digits")
    );
    placed("13101");
    assert!(decide("inf.rx", NOW).contains("permit DISASTER"));
    assert!(decide("gen", NOW).contains("deny"));
    // 2026-10-01 in Tokyo is in, the day after is not.
    assert!(decide("inf.rx", "1790866799").contains("permit DISASTER"));
    assert!(decide("inf.rx", "1790866800").contains("DIS_INACTIVE"));
    let other = [
        "register",
        "clinic.jwk",
        "--class",
        "institution",
        "--code",
        SOURCE,
    ];
    assert!(here.mistake(&other).contains("another institution"));
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "identifier": [{"value": PERSON}]}},
        {"resource": {"resourceType": "AllergyIntolerance", "id": "a", "category": ["food"],
            "code": {"text": "SOBA"}, "patient": {"reference": "Patient/p"}}}]});
    fs::write(here.path("b.json"), bundle.to_string()).unwrap();
    let out = here.ok(&[
        "filter",
        "b.json",
        "--sub",
        &sub,
        "--as",
        CLINIC,
        "--pur",
        "DISASTER",
        "--src",
        SOURCE,
        "--disaster",
        "declared.jwt",
        "--out",
        "out.json",
    ]);
    assert!(
        out["line"]["line"]
            .as_str()
            .unwrap()
            .contains(r#""basis":"DISASTER""#),
        "{out}"
    );
    let sent = fs::read_to_string(here.path("out.json")).unwrap();
    assert!(sent.contains("SOBA") && sent.find("emergency-summary") < sent.find("SOBA"));
    here.ok(&["log", "verify"]);
    // The authority's key was stolen before: what it declared is nothing.
    here.ok(&[
        "register",
        "authority.jwk",
        "--class",
        "disaster",
        "--state",
        "compromised",
        "--since",
        "2026-09-01",
    ]);
    assert!(decide("inf.rx", NOW).contains("DIS_INACTIVE"));
}

#[test]
fn when_a_token_was_received_is_the_logs_word() {
    let (here, sub) = desk();
    grant(&here, &sub, "inf.lab", "a");
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);
    here.ok(&[
        "register",
        "patient.jwk",
        "--class",
        "patient",
        "--state",
        "compromised",
    ]);
    assert_eq!(here.refused(&ask)["reason"], json!("REVOKED"));
    let accepted = here.path("desk/accepted.ndjson");
    let kept = fs::read_to_string(&accepted).unwrap();
    let earlier = kept.replace(&format!("\"at\":{NOW}"), "\"at\":1780000000");
    assert_ne!(earlier, kept);
    fs::write(&accepted, earlier).unwrap();
    assert_eq!(here.refused(&ask)["reason"], json!("REVOKED"));
}

#[test]
fn a_grant_is_passed_on_once_and_within_itself() {
    let (here, sub) = desk();
    for (name, code) in [("clinic", CLINIC), ("other", SOURCE)] {
        here.key(name);
        let jwk = format!("{name}.jwk");
        here.ok(&["register", &jwk, "--class", "institution", "--code", code]);
    }
    for (name, more) in [("closed", &[][..]), ("open", &["--onward"])] {
        let file = |end: &str| format!("{name}.{end}");
        here.request(&sub, "TREAT", "inf.lab,inf.rx", &file("req"));
        let (request, annex, out) = (file("req"), file("annex"), file("jwt"));
        let sign = [
            "grant",
            &request,
            "--key",
            "patient.pem",
            "--annex",
            &annex,
            "--agree",
            "--out",
            &out,
        ];
        let signed = here.ok(&[&sign[..], more].concat());
        assert_eq!(
            signed["text"]
                .as_str()
                .unwrap()
                .contains("one more institution"),
            name == "open"
        );
        here.ok(&["verify", &out, "--annex", &annex, "--accept"]);
    }
    let pass = |grant: &str, key: &str, more: &[&str]| -> Vec<String> {
        let fixed = ["onward", grant, "--key", key, "--aud", SOURCE];
        let all = [&fixed[..], more].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let said = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        here.mistake(&args)
    };
    // The person did not allow it; somebody else passes it on; it says more than it does.
    assert!(said(&pass("closed.jwt", "clinic.pem", &[])).contains("ATTENUATION (par)"));
    assert!(said(&pass("open.jwt", "other.pem", &[])).contains("ATTENUATION (iss)"));
    for (more, claim) in [
        (["--cat", "inf.condition"], "(cat)"),
        (["--pur", "CAREMGT"], "(pur)"),
        (["--days", "91"], "(exp)"),
    ] {
        assert!(
            said(&pass("open.jwt", "clinic.pem", &more)).contains(claim),
            "{claim}"
        );
    }
    assert!(said(&pass("open.req", "clinic.pem", &[])).contains("TYP"));
    let args = pass(
        "open.jwt",
        "clinic.pem",
        &["--cat", "inf.lab", "--out", "on.jwt"],
    );
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    here.ok(&args);
    let ask = |cat: &'static str| {
        let args = [
            "decide", "--sub", &sub, "--as", SOURCE, "--pur", "TREAT", "--cat", cat,
        ];
        text(&here.at(NOW, &args).stdout)
    };
    assert!(ask("inf.lab").contains("deny"));
    here.ok(&["verify", "on.jwt", "--accept"]);
    assert!(ask("inf.lab").contains("permit GRANT"));
    assert!(ask("inf.rx").contains("deny"));
    // What was passed on is not passed on again, and ends with what it stands on.
    assert!(said(&pass("on.jwt", "other.pem", &[])).contains("TYP"));
    here.ok(&[
        "revoke",
        "open.jwt",
        "--key",
        "patient.pem",
        "--out",
        "end.jwt",
    ]);
    here.ok(&["verify", "end.jwt", "--accept"]);
    assert!(ask("inf.lab").contains("deny"));
    here.ok(&["log", "verify"]);
}

#[test]
fn a_consent_goes_to_fhir_and_comes_back() {
    let (here, sub) = desk();
    grant(&here, &sub, "inf.lab,inf.rx", "a");
    for dialect in ["core", "pcf"] {
        let file = format!("{dialect}.json");
        let args = [
            "export",
            "a.jwt",
            "--dialect",
            dialect,
            "--organization",
            SOURCE,
            "--out",
            &file,
        ];
        here.ok(&args);
        let consent: Value =
            serde_json::from_str(&fs::read_to_string(here.path(&file)).unwrap()).unwrap();
        assert_eq!(
            (&consent["resourceType"], &consent["status"]),
            (&json!("Consent"), &json!("active"))
        );
        let back = here.ok(&["import", &file]);
        assert_eq!(
            back["signed"]["token"],
            json!(fs::read_to_string(here.path("a.jwt")).unwrap().trim())
        );
        // Another structure than what was signed is nothing.
        let other = consent.to_string().replace("inf.rx", "inf.allergy");
        fs::write(here.path("other.json"), other).unwrap();
        assert_eq!(
            here.refused(&["import", "other.json"])["findings"][0]["code"],
            json!("FHIR_MISMATCH")
        );
    }
    // Without its token it is a draft, which names what it cannot carry.
    let mut bare: Value =
        serde_json::from_str(&fs::read_to_string(here.path("core.json")).unwrap()).unwrap();
    bare.as_object_mut().unwrap().remove("sourceAttachment");
    fs::write(here.path("bare.json"), bare.to_string()).unwrap();
    let draft = here.ok(&["import", "bare.json"]);
    assert_eq!(draft["signed"], Value::Null);
    assert_eq!(
        draft["drafts"][0]["claims"]["cat"],
        json!(["inf.lab", "inf.rx"])
    );
    let own = [
        "export",
        "a.jwt",
        "--organization",
        SOURCE,
        "--annex",
        "a.annex",
        "--out",
        "own.json",
    ];
    here.ok(&own);
    here.ok(&["import", "own.json"]);
    assert!(
        here.mistake(&["export", "a.req", "--organization", SOURCE])
            .contains("no FHIR Consent")
    );
}

#[test]
fn at_the_counter_no_key_is_needed() {
    let (here, sub) = desk();
    let given = grant(&here, &sub, "inf.lab", "lab");
    let given = given["hash"].as_str().unwrap();
    for (file, person) in [
        ("who", PERSON),
        ("other", "SOMEBODY-ELSE"),
        ("new", "NO-KEY-YET"),
    ] {
        fs::write(here.path(file), person).unwrap();
    }
    // Key and token are lost; the history names the token.
    fs::remove_file(here.path("patient.pem")).unwrap();
    fs::remove_file(here.path("lab.jwt")).unwrap();
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);
    let end = |who: &'static str, out: &'static str| {
        let args = ["revoke", given, "--identified", "jpki", "--person", who];
        [&args[..], &["--out", out]].concat()
    };
    assert!(here.mistake(&end("other", "x.jwt")).contains("not the one"));
    assert!(
        here.mistake(&["revoke", given, "--identified", "jpki"])
            .contains("--person")
    );
    here.ok(&end("who", "end.jwt"));
    here.ok(&["verify", "end.jwt"]);
    let accept = ["verify", "end.jwt", "--accept"];
    assert!(here.mistake(&accept).contains("--identified"));
    let kept = here.ok(&[&accept[..], &["--identified", "jpki"]].concat());
    assert!(kept["receipt"].is_string());
    assert_eq!(here.refused(&ask)["reason"], json!("REVOKED"));
    let history = |sub: &str| text(&here.at(NOW, &["log", "history", "--sub", sub]).stdout);
    assert!(history(&sub).contains(r#"\"idp\":\"jpki\""#));

    // Whoever never had a key objects as well, with the text that is signed before the eyes.
    let object = ["object", "--identified", "counter", "--person", "new"];
    let shown = here.refused(&object);
    assert!(
        shown["text"]
            .as_str()
            .unwrap()
            .contains("the counter, where you were identified")
    );
    let withdraw = [&object[..], &["--withdraw", "--agree"]].concat();
    assert!(here.mistake(&withdraw).contains("own key"));
    here.ok(&[&object[..], &["--agree", "--out", "no.jwt"]].concat());
    let kept = here.ok(&["verify", "no.jwt", "--accept", "--identified", "counter"]);
    assert_eq!(kept["claims"]["by"], json!("registry"));
    let new = kept["claims"]["sub"].as_str().unwrap();
    assert_ne!(new, sub);
    assert!(history(new).contains(r#"\"idp\":\"counter\""#));
}

#[test]
fn prohibitions_objections_and_proxies_count() {
    let (here, sub) = desk();
    grant(&here, &sub, "inf.lab", "lab");
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);
    here.request(&sub, "TREAT", "inf.lab", "no.req");
    here.ok(&[
        "deny",
        "no.req",
        "--key",
        "patient.pem",
        "--agree",
        "--out",
        "no.jwt",
    ]);
    here.ok(&["verify", "no.jwt", "--accept"]);
    assert_eq!(here.refused(&ask)["reason"], json!("PROHIBITED"));
    // Ending it opens data, so it needs a request and a text.
    assert!(
        here.mistake(&["revoke", "no.jwt", "--key", "patient.pem"])
            .contains("--request")
    );
    here.request(&sub, "TREAT", "inf.lab", "yes.req");
    here.ok(&[
        "revoke",
        "no.jwt",
        "--key",
        "patient.pem",
        "--request",
        "yes.req",
        "--agree",
        "--out",
        "yes.jwt",
    ]);
    here.ok(&["verify", "yes.jwt", "--accept"]);
    here.ok(&ask);

    // 手術 alone, with its own text.
    here.request(&sub, "TREAT", "prc.surgery", "op.req");
    let shown = here.refused(&[
        "grant",
        "op.req",
        "--key",
        "patient.pem",
        "--annex",
        "op.annex",
        "--text-lang",
        "ja",
    ]);
    assert!(shown["text"].as_str().unwrap().contains("手術"));
    assert!(
        here.mistake(&[
            "grant",
            "op.req",
            "--key",
            "patient.pem",
            "--annex",
            "x",
            "--cat",
            "inf.rx"
        ])
        .contains("not asked for")
    );

    here.ok(&[
        "object",
        "--sub",
        &sub,
        "--key",
        "patient.pem",
        "--agree",
        "--out",
        "obj.jwt",
    ]);
    here.ok(&["verify", "obj.jwt", "--accept"]);
    here.ok(&[
        "object",
        "--sub",
        &sub,
        "--key",
        "patient.pem",
        "--agree",
        "--withdraw",
        "--out",
        "obj2.jwt",
    ]);
    assert_eq!(
        here.ok(&["verify", "obj2.jwt", "--accept"])["claims"]["seq"],
        json!(1)
    );

    // A guardian signs with the binding; a key that was compromised signs nothing more.
    here.key("mother");
    let bound = here.enrol("mother", "PARENT-1", &["--role", "guardian", "--for", &sub]);
    let jti = bound["jti"].as_str().unwrap();
    here.request(&sub, "TREAT", "inf.rx", "rx.req");
    here.ok(&[
        "grant",
        "rx.req",
        "--key",
        "mother.pem",
        "--annex",
        "rx.annex",
        "--proxy",
        jti,
        "--agree",
        "--out",
        "rx.jwt",
    ]);
    here.ok(&[
        "register",
        "mother.jwk",
        "--class",
        "patient",
        "--state",
        "compromised",
    ]);
    assert_eq!(
        here.refused(&["verify", "rx.jwt", "--annex", "rx.annex"])["reason"],
        json!("KEY_COMPROMISED")
    );
    assert!(
        here.mistake(&[
            "register",
            "mother.jwk",
            "--class",
            "patient",
            "--state",
            "active"
        ])
        .contains("new key")
    );
    assert!(here.at(NOW, &["show", "rx.jwt"]).status.success());
    // One recipient does not read the names of the others.
    let both = format!("{CLINIC},{SOURCE}");
    here.ok(&[
        "request", "--sub", &sub, "--aud", &both, "--pur", "TREAT", "--cat", "inf.rx", "--out",
        "two.req",
    ]);
    assert!(
        here.mistake(&["show", "two.req", "--qr"])
            .contains("several recipients")
    );
    let qr = here.ok(&["show", "rx.jwt", "--qr"])["qr"]
        .as_str()
        .unwrap()
        .to_owned();
    fs::write(here.path("rx.qr"), qr).unwrap();
    assert_eq!(
        here.ok(&["show", "rx.qr"])["hash"],
        here.ok(&["show", "rx.jwt"])["hash"]
    );
}

#[test]
fn a_mandate_ends_by_the_person_and_by_the_delegate() {
    let (here, sub) = desk();
    let history = || text(&here.at(NOW, &["log", "history", "--sub", &sub]).stdout);
    let bind = |name: &str, role: &str| {
        here.key(name);
        let more = ["--role", role, "--for", &sub, "--scope", "TREAT,inf.lab"];
        let bound = here.enrol(name, name, &more);
        bound["jti"].as_str().unwrap().to_owned()
    };
    let (son, friend, mother) = (
        bind("son", "delegate"),
        bind("friend", "delegate"),
        bind("mother", "guardian"),
    );
    let states = || {
        let rows = here.ok(&["keys", "--sub", &sub])["keys"].clone();
        let rows = rows.as_array().unwrap().clone();
        let state = |r: &Value| format!("{} {}", r["role"], r["state"]).replace('"', "");
        rows.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(
        states(),
        [
            "patient active",
            "delegate active",
            "delegate active",
            "guardian active"
        ]
    );
    // A proxy's key is a line of the person it signs for.
    assert_eq!(history().matches(r#"\"kind\":\"key\""#).count(), 4);

    // The son signs a grant and looks, within his mandate.
    here.request(&sub, "TREAT", "inf.lab", "lab.req");
    let by_son = |name: &str| {
        let (annex, out) = (format!("{name}.annex"), format!("{name}.jwt"));
        let made = [
            "grant", "lab.req", "--key", "son.pem", "--proxy", &son, "--annex", &annex, "--agree",
            "--out", &out,
        ];
        here.at(NOW, &made)
    };
    assert!(by_son("one").status.success());
    here.ok(&["verify", "one.jwt", "--annex", "one.annex", "--accept"]);
    let looks = [
        "decide", "--sub", &sub, "--as", "proxy", "--proxy", &son, "--pur", "FAMRQT", "--cat",
        "inf.lab",
    ];
    here.ok(&looks);
    here.request(&sub, "TREAT", "inf.lab", "lab.req");
    assert!(by_son("late").status.success());

    // What no revoke ends is told before anybody signs.
    let own = here.ok(&["keys", "--sub", &sub])["keys"][0]["jti"].clone();
    for jti in [own.as_str().unwrap(), &mother] {
        let told = here.mistake(&["revoke", jti, "--key", "patient.pem"]);
        assert!(told.contains("only a delegate's"), "{told}");
    }
    here.request(&sub, "TREAT", "inf.lab", "lab.req");
    let told = here.mistake(&["revoke", "lab.req", "--key", "patient.pem"]);
    assert!(told.contains("cannot be ended"), "{told}");
    // The friend dismisses nobody but the friend.
    let end = |jti: &str, key: &str, proxy: &[&str], out: &str| {
        here.ok(&[&["revoke", jti, "--key", key, "--out", out], proxy].concat());
    };
    end(&son, "friend.pem", &["--proxy", &friend], "coup.jwt");
    assert_eq!(
        here.refused(&["verify", "coup.jwt"])["reason"],
        json!("PROXY_SCOPE")
    );
    end(&friend, "friend.pem", &["--proxy", &friend], "resigned.jwt");
    here.ok(&["verify", "resigned.jwt", "--accept"]);

    // The person ends the son's: it stands in the person's history, and the son signs and sees nothing more.
    end(&son, "patient.pem", &[], "ended.jwt");
    let kept = here.ok(&["verify", "ended.jwt", "--accept"]);
    assert_eq!(kept["claims"]["sub"], json!(sub));
    let tok = kept["hash"].as_str().unwrap();
    assert!(history().contains(tok));
    assert_eq!(
        states(),
        [
            "patient active",
            "delegate ended",
            "delegate ended",
            "guardian active"
        ]
    );
    let refused = here.refused(&["verify", "late.jwt", "--annex", "late.annex", "--accept"]);
    assert_eq!(refused["reason"], json!("PROXY_NONE"));
    assert!(text(&by_son("never").stderr).contains("was ended"));
    assert!(here.mistake(&looks).contains("no key is bound"));
    // What was signed while the mandate stood is the person's to end.
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    here.ok(&ask);
    // At the counter it ends without a key, too.
    let cousin = bind("cousin", "delegate");
    fs::write(here.path("who"), PERSON).unwrap();
    fs::write(here.path("cousin"), "cousin").unwrap();
    let counter = ["revoke", &cousin, "--identified", "jpki", "--person"];
    let other = [&counter[..], &["cousin", "--out", "x.jwt"]].concat();
    assert!(here.mistake(&other).contains("not the one"));
    here.ok(&[&counter[..], &["who", "--out", "end.jwt"]].concat());
    here.ok(&["verify", "end.jwt", "--accept", "--identified", "jpki"]);
    assert_eq!(states().last().map(String::as_str), Some("delegate ended"));
    assert_eq!(here.ok(&["log", "verify"])["ok"], json!(true));
}

/// §4.1, §6.3: a grant that nobody asked for lasts a day, and is judged with and without a connection.
#[test]
fn a_grant_made_offline_lasts_a_day() {
    let (here, sub) = desk();
    let make = [
        "grant",
        "--offline",
        "--sub",
        &sub,
        "--aud",
        CLINIC,
        "--pur",
        "TREAT",
        "--cat",
        "inf.lab,inf.rx",
        "--key",
        "patient.pem",
        "--annex",
        "day.annex",
        "--agree",
        "--out",
        "day.jwt",
    ];
    let mistake = |more: &[&str]| here.mistake(&[&make[..], more].concat());
    assert!(mistake(&["--hours", "25"]).contains("24 hours"));
    assert!(mistake(&["--days", "2"]).contains("--days"));
    let alone = ["grant", "--offline", "--key", "patient.pem", "--annex", "x"];
    assert!(here.mistake(&alone).contains("--sub"));
    here.ok(&make);
    let judged = ["verify", "day.jwt", "--offline"];
    let claims = here.ok(&judged)["claims"].clone();
    assert!(claims.get("nonce").is_none() && claims.get("status").is_none());
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap(),
        86_400
    );
    // It is shown as QR, counts where it was accepted, and ends by itself or when it is ended.
    assert!(
        here.ok(&["show", "day.jwt", "--qr"])["qr"]
            .as_str()
            .unwrap()
            .starts_with("consent:/")
    );
    let ask = [
        "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--cat", "inf.lab",
    ];
    assert_eq!(here.refused(&ask)["reason"], json!("NO_GRANT"));
    here.ok(&["verify", "day.jwt", "--annex", "day.annex", "--accept"]);
    here.ok(&ask);
    let over = (NOW.parse::<u64>().unwrap() + 86_400).to_string();
    let o = here.at(&over, &judged);
    assert!(o.status.code() == Some(1) && text(&o.stdout).contains("EXPIRED"));
    let o = here.at(&over, &ask);
    assert!(o.status.code() == Some(1) && text(&o.stdout).contains("EXPIRED"));
    here.ok(&[
        "revoke",
        "day.jwt",
        "--key",
        "patient.pem",
        "--out",
        "end.jwt",
    ]);
    here.ok(&["verify", "end.jwt", "--accept"]);
    assert_eq!(here.refused(&ask)["reason"], json!("REVOKED"));
}

/// §12.2, §12.3: from who may be in a release to what stops after an objection.
#[test]
fn a_release_is_held_against_objections_and_what_was_delivered_is_stopped() {
    const BODY: &str = "cert:1";
    let (here, sub) = desk();
    let path = here.path("desk/policy.json");
    let policy = fs::read_to_string(&path).unwrap();
    let listed = r#""certified": [{"to": "cert:1", "pur": ["ANON"]}]"#;
    fs::write(&path, policy.replace(r#""certified": []"#, listed)).unwrap();
    here.key("body");
    let register = ["register", "body.jwk", "--class", "certified"];
    assert!(here.mistake(&register).contains("--code"));
    here.ok(&[&register[..], &["--code", BODY]].concat());
    let person = |name: &str, id: &str| {
        here.key(name);
        here.enrol(name, id, &[])["sub"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (other, untold) = (person("other", "P-2"), person("untold", "P-3"));
    for told in [&sub, &other] {
        let line = json!({"kind": "notice", "sub": told, "what": "opt-out", "src": SOURCE});
        fs::write(here.path("line"), line.to_string()).unwrap();
        here.ok(&["log", "append", "line"]);
    }
    fs::write(here.path("persons"), format!("{PERSON}\nP-2\n\nP-3\nP-2\n")).unwrap();
    let later = (NOW.parse::<u64>().unwrap() + 31 * 86_400).to_string();
    let at = |now: &str, args: &[&str]| {
        let o = here.at(now, &[args, &["--json"]].concat());
        let value = serde_json::from_slice(&o.stdout).unwrap_or(Value::Null);
        (o.status.code().unwrap(), value, text(&o.stderr))
    };
    let good = |args: &[&str]| {
        let (code, value, told) = at(&later, args);
        assert_eq!(code, 0, "{args:?}: {value} {told}");
        value
    };
    let members = |to: &'static str, pur: &'static str, more: &[&'static str]| {
        let args = [
            "release",
            "members",
            "--to",
            to,
            "--pur",
            pur,
            "--src",
            SOURCE,
            "--persons",
            "persons",
        ];
        [&args[..], more].concat()
    };
    // Nobody before the time of the notice is over, and no body for what it is not certified for.
    let early = at(NOW, &members(BODY, "ANON", &[]));
    assert_eq!((early.0, &early.1["members"]), (0, &json!([])));
    for (to, pur, word) in [
        ("cert:2", "ANON", "not certified"),
        (BODY, "PSEUDO", "not certified"),
        (BODY, "TREAT", "takes the person's consent"),
    ] {
        let (code, _, told) = at(&later, &members(to, pur, &[]));
        assert!(code == 2 && told.contains(word), "{told}");
    }
    let found = good(&members(BODY, "ANON", &[]))["members"].clone();
    let named = |n: usize, name: &str| found[n][name].clone();
    assert_eq!((named(0, "sub"), named(0, "line")), (json!(sub), json!(1)));
    assert_eq!(
        (named(1, "sub"), named(1, "line")),
        (json!(other), json!(2))
    );
    assert_eq!(found.as_array().unwrap().len(), 2);
    let cats = named(0, "cats").to_string();
    assert!(cats.contains("inf.lab") && !cats.contains("gen") && !cats.contains("demo"));
    let history = |sub: &str| text(&here.at(&later, &["log", "history", "--sub", sub]).stdout);
    assert!(!history(&sub).contains("OPT_OUT"));
    good(&members(
        BODY,
        "ANON",
        &["--deliver", "--out", "all.members"],
    ));
    assert!(history(&sub).contains("OPT_OUT") && history(&other).contains("OPT_OUT"));
    assert!(!history(&untold).contains("OPT_OUT"));

    // One objects. What the body makes of what it had before is refused, and names who that is.
    let object = |key: &str, sub: &str, out: &str| {
        let key = format!("{key}.pem");
        good(&[
            "object", "--sub", sub, "--key", &key, "--agree", "--out", out,
        ]);
        good(&["verify", out, "--accept"]);
    };
    object("other", &other, "no.jwt");
    good(&members(BODY, "ANON", &["--out", "less.members"]));
    fs::write(here.path("contract"), "照合を禁じる").unwrap();
    fs::write(here.path("data"), "a,b\n1,2\n").unwrap();
    fs::write(
        here.path("elsewhere"),
        r#"{"salt":"AAAAAAAAAAAAAAAAAAAAAA"}"#,
    )
    .unwrap();
    let form = json!({
        "to": "rs:1", "schema": "s-1", "rows": 1, "k": 10,
        "contract": {"id": "c-1", "pur": ["ANON"], "scope": "研究班の中", "to": "2027-03-31"},
        "profile": {"id": "anon-1", "ver": 1, "steps": [
            {"step": "drop-identifiers"}, {"step": "age-band", "with": 5}]},
        "wm": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    });
    let make = |form: &Value, name: &str, members: &str, key: &str| {
        fs::write(here.path("form"), form.to_string()).unwrap();
        let (out, leaves) = (format!("{name}.jwt"), format!("{name}.leaves"));
        at(
            &later,
            &[
                "release",
                "make",
                "form",
                "--members",
                members,
                "--members",
                "elsewhere",
                "--contract",
                "contract",
                "--data",
                "data",
                "--key",
                key,
                "--leaves",
                &leaves,
                "--out",
                &out,
            ],
        )
    };
    let with = |member: &str, value: Value| {
        let mut form = form.clone();
        *form.pointer_mut(member).unwrap() = value;
        form
    };
    for (form, word) in [
        (
            with("/profile/steps/1/step", json!("tidy-up")),
            "profile.steps",
        ),
        (with("/wm", json!("x")), "(wm)"),
        (with("/contract/to", json!("soon")), "contract.to"),
    ] {
        let (code, _, told) = make(&form, "bad", "all.members", "body.pem");
        assert!(code == 2 && told.contains(word), "{told}");
    }
    assert_eq!(make(&form, "all", "all.members", "body.pem").0, 0);
    assert_eq!(
        make(&form, "less", "less.members", "body.pem").1["n"],
        json!(2)
    );
    assert_eq!(make(&form, "fake", "less.members", "patient.pem").0, 0);
    let wider = with("/contract/pur", json!(["ANON", "PSEUDO"]));
    assert_eq!(make(&wider, "wide", "less.members", "body.pem").0, 0);
    let over = with("/contract/to", json!("2026-01-01"));
    assert_eq!(make(&over, "over", "less.members", "body.pem").0, 0);
    let verify = |name: &str, leaves: &str| {
        let (name, leaves) = (format!("{name}.jwt"), format!("{leaves}.leaves"));
        at(
            &later,
            &["release", "verify", &name, "--leaves", &leaves, "--accept"],
        )
    };
    let refused = verify("all", "all");
    assert_eq!((refused.0, &refused.1["reason"]), (1, &json!("MEMBERS")));
    assert_eq!(refused.1["subs"], json!([other]));
    for (name, leaves, reason) in [
        ("less", "all", "ROOT"),
        ("fake", "fake", "KEY_UNKNOWN"),
        ("wide", "wide", "CERTIFIED"),
        ("over", "over", "EXPIRED"),
    ] {
        let (code, value, _) = verify(name, leaves);
        assert_eq!((code, &value["reason"]), (1, &json!(reason)), "{name}");
    }
    let (code, _, told) = at(&later, &["verify", "less.jwt", "--accept"]);
    assert!(code == 2 && told.contains("release verify"), "{told}");
    assert!(
        good(&["release", "list"])["releases"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let (code, taken, _) = verify("less", "less");
    assert_eq!(code, 0, "{taken}");
    assert_eq!(verify("less", "less").1["again"], json!(true));
    let rel = taken["release"].as_str().unwrap();
    let listed = good(&["release", "list"])["releases"].clone();
    assert_eq!(
        (
            &listed[0]["release"],
            &listed[0]["by"],
            &listed[0]["persons"]
        ),
        (&json!(rel), &json!(BODY), &json!(2))
    );
    assert_eq!(listed.as_array().unwrap().len(), 1);

    // Each person can tell, and nobody by another's salt.
    let check = |file: &str| {
        at(
            &later,
            &["release", "check", file, "--body-key", "body.jwk"],
        )
    };
    for (sub, member) in [(&sub, true), (&other, false), (&untold, false)] {
        good(&[
            "release",
            "proof",
            "--release",
            rel,
            "--sub",
            sub,
            "--out",
            "proof",
        ]);
        let (code, value, _) = check("proof");
        assert_eq!((code, &value["member"]), (0, &json!(member)), "{value}");
        // By another salt nobody is the member, and at another place the path leads nowhere.
        let proof: Value = serde_json::from_slice(&fs::read(here.path("proof")).unwrap()).unwrap();
        let mut wrong = [proof.clone(), proof];
        wrong[0]["salt"] = json!("AQEBAQEBAQEBAQEBAQEBAQ");
        wrong[1]["near"][0]["index"] = json!(7);
        let results = wrong.map(|wrong| {
            fs::write(here.path("wrong"), wrong.to_string()).unwrap();
            let (_, value, _) = check("wrong");
            value
        });
        assert_ne!(results[0]["member"], json!(true), "{}", results[0]);
        assert_eq!(results[1]["ok"], json!(false), "{}", results[1]);
    }
    let (code, value, _) = at(
        &later,
        &["release", "check", "proof", "--body-key", "patient.jwk"],
    );
    assert_eq!((code, &value["reason"]), (1, &json!("KEY_UNKNOWN")));

    // Who objected is stopped where data is held; a finished release is beyond recall.
    let orders = || good(&["release", "stop"])["orders"].clone();
    let order = |sub: &str, beyond: Value| json!({"sub": sub, "to": BODY, "src": SOURCE, "pur": "ANON", "do": ["stop", "delete"], "beyond_recall": beyond});
    assert_eq!(orders(), json!([order(&other, json!([]))]));
    object("patient", &sub, "mine.jwt");
    let mut both = vec![order(&other, json!([])), order(&sub, json!([rel]))];
    both.sort_by_key(|o| o["sub"].to_string());
    assert_eq!(orders(), json!(both));
    let answer = |sub: &str, to: &str, more: &[&str]| {
        let args = [
            "release", "answer", "--sub", sub, "--to", to, "--src", SOURCE, "--pur", "ANON",
        ];
        at(&later, &[&args[..], more].concat())
    };
    let (code, _, told) = answer(&untold, BODY, &["--erased", "2026-10-01"]);
    assert!(
        code == 2 && told.contains("nothing of this person"),
        "{told}"
    );
    assert_eq!(answer(&other, BODY, &["--erased", "2026-10-01"]).0, 0);
    assert_eq!(orders(), json!([order(&sub, json!([rel]))]));
    assert_eq!(answer(&sub, BODY, &["--kept", "医療法"]).0, 0);
    assert_eq!(orders(), json!([]));
    assert!(history(&other).contains("erased"));
    // An answer is no notice that opens anything, and a withdrawn objection opens the next release again.
    assert_eq!(good(&members(BODY, "ANON", &[]))["members"], json!([]));
    good(&[
        "object",
        "--sub",
        &sub,
        "--key",
        "patient.pem",
        "--agree",
        "--withdraw",
        "--out",
        "yes.jwt",
    ]);
    good(&["verify", "yes.jwt", "--accept"]);
    let again = good(&members(BODY, "ANON", &["--deliver"]))["members"].clone();
    assert_eq!(again[0]["sub"], json!(sub));
    assert_eq!(orders(), json!([]));
    assert_eq!(good(&["log", "verify"])["ok"], json!(true));
}

#[test]
fn keys_are_files_of_their_owner_and_mistakes_name_the_next_step() {
    let (here, sub) = desk();
    let mode = |name: &str| fs::metadata(here.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("patient.pem"), 0o600);
    for name in [
        "server.pem",
        "authority.pem",
        "registry.pem",
        "log.pem",
        "holder.key",
    ] {
        assert_eq!(mode(&format!("desk/secret/{name}")), 0o600, "{name}");
    }
    assert!(
        here.mistake(&["keygen", "--out", "patient.pem"])
            .contains("never overwritten")
    );
    here.request(&sub, "TREAT", "inf.lab", "a.req");
    let sign = [
        "grant",
        "a.req",
        "--key",
        "patient.pem",
        "--annex",
        "a.annex",
        "--agree",
        "--out",
        "a.jwt",
    ];
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(here.path("patient.pem"), readable).unwrap();
    assert!(here.mistake(&sign).contains("chmod 600 patient.pem"));
    fs::set_permissions(here.path("patient.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    here.ok(&sign);
    assert!(
        here.mistake(&[
            "grant",
            "a.req",
            "--key",
            "patient.jwk",
            "--annex",
            "b",
            "--agree"
        ])
        .contains("chmod 600")
    );
    assert!(
        here.mistake(&[
            "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--desk", "nowhere"
        ])
        .contains("consent init")
    );
    assert!(
        here.mistake(&["verify", "a.jtw"])
            .contains("Did you mean a.jwt?")
    );
    assert_eq!(
        here.at("1790003000", &sign).status.code(),
        Some(2),
        "the request has expired"
    );
    // A JWK signs as well as PEM.
    here.ok(&["keygen", "--out", "second.json", "--format", "jwk"]);
    assert_eq!(mode("second.json"), 0o600);
    let o = here.at(
        NOW,
        &[
            "grant",
            "a.req",
            "--key",
            "second.json",
            "--annex",
            "c.annex",
            "--agree",
            "--out",
            "c.jwt",
        ],
    );
    assert_eq!(o.status.code(), Some(0), "{}", text(&o.stderr));
    assert_eq!(
        here.refused(&["verify", "c.jwt", "--annex", "c.annex"])["reason"],
        json!("KEY_UNKNOWN")
    );
    // What is judged without a connection is not accepted that way.
    here.mistake(&["verify", "a.jwt", "--offline", "--accept"]);
    // Half a line of an interrupted run counts for nothing, and the next line is whole.
    let issued = here.path("desk/issued.ndjson");
    let before = fs::read_to_string(&issued).unwrap();
    fs::write(&issued, format!("{before}{{\"nonce\":\"ha")).unwrap();
    here.request(&sub, "TREAT", "inf.lab", "d.req");
    let after = fs::read_to_string(&issued).unwrap();
    assert!(after.strip_prefix(&before).unwrap().lines().count() == 1);
    assert!(after.ends_with("}\n"));
    // Words in Japanese as well.
    let o = here.at(
        NOW,
        &[
            "--lang", "ja", "decide", "--sub", &sub, "--as", CLINIC, "--pur", "TREAT", "--desk",
            "nowhere",
        ],
    );
    assert!(text(&o.stderr).starts_with("エラー: nowhere は窓口のフォルダーではありません"));
}

#[test]
fn the_commands_of_the_documentation_run() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/consent.md");
    let docs = fs::read_to_string(docs).unwrap();
    let blocks: Vec<&str> = docs.split("```sh\n").skip(1).collect();
    assert!(!blocks.is_empty());
    let dir = tempfile::tempdir().unwrap();
    let root = fixtures("standard_root").canonicalize().unwrap();
    std::os::unix::fs::symlink(root, dir.path().join("standard_root")).unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_warifu")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    for block in blocks {
        let script = block.split("```").next().unwrap();
        let o = std::process::Command::new("sh")
            .args(["-euc", script])
            .current_dir(dir.path())
            .env("PATH", &path)
            .env("LANG", "C")
            .output()
            .unwrap();
        assert!(o.status.success(), "{}{}", text(&o.stdout), text(&o.stderr));
    }
    for made in ["out.json", "withheld.json", "checkpoint", "proof"] {
        assert!(
            fs::metadata(dir.path().join(made)).unwrap().len() > 2,
            "{made}"
        );
    }
}
