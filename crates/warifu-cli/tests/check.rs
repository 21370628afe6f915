//! `warifu check` as a user runs it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use support::{fixtures, run, run_in, text, tree, warifu};

const NAME: &str = "0000000123_20260401_OML-11_000000000000001_20260401093015123_01_1";

/// A message with a value nobody else has, half-width kana in ISO-2022-JP, and LF for CR.
const MESSAGE: &[u8] = b"MSH|^~\\&|A|B|C|D|20260401093015||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87\nPID|1||0000000123^^^^PI||CANARYVALUE^\x1b(ITO@^\x1b(B^^^^L^P\r";

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir
        .path()
        .join("root/000/000/0000000123/20260401/OML-11")
        .join(NAME);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, MESSAGE).unwrap();
    (dir, file)
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let mut all = vec!["check", "--format", "json"];
    all.extend(args);
    serde_json::from_slice(&run_in(dir, &all).stdout).unwrap()
}

/// A vital sign that claims no profile and breaks R4's by its category.
const PULSE: &str = r#"{"resourceType": "Observation", "status": "final", "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}], "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}, "subject": {"reference": "Patient/1"}, "effectiveDateTime": "2026-04-01", "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}"#;

#[test]
fn vital_signs_by_code_and_must_support_are_options_of_flag_and_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pulse.json"), PULSE).unwrap();
    let vital = "http://hl7.org/fhir/StructureDefinition/vitalsigns";
    let codes = |args: &[&str]| -> Vec<String> {
        let mut all = vec!["pulse.json"];
        all.extend(args);
        let report = json(dir.path(), &all);
        let found = report["diagnostics"].as_array().unwrap().iter();
        found
            .map(|f| f["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let has = |codes: &[String], code: &str| codes.iter().any(|c| c == code);
    let (by_code, lacking) = ("FHR401", "FHR415");
    let usual = codes(&[]);
    assert!(has(&usual, by_code) && !has(&usual, lacking), "{usual:?}");
    assert!(!has(&codes(&["--no-vital-signs"]), by_code));
    assert!(has(
        &codes(&["--must-support", "--profile", vital]),
        lacking
    ));

    let settings = "[fhir]\nmust-support = true\nvital-signs = false\n";
    std::fs::write(dir.path().join("warifu.toml"), settings).unwrap();
    assert!(!has(&codes(&[]), by_code));
    let asked = codes(&["--profile", vital]);
    assert!(has(&asked, by_code) && has(&asked, lacking), "{asked:?}");
}

#[test]
fn rule_pages_is_an_address_with_a_place_for_the_code() {
    let (dir, _) = folder();
    let of = |address: &str| {
        let args = [
            "check",
            "root",
            "--format",
            "sarif",
            "--rule-pages",
            address,
        ];
        run_in(dir.path(), &args)
    };
    let linked = of("https://example.jp/rules/{code}.md");
    let sarif: Value = serde_json::from_slice(&linked.stdout).unwrap();
    let driver = &sarif["runs"][0]["tool"]["driver"];
    assert_eq!(driver["informationUri"], "https://example.jp/rules/");
    for rule in driver["rules"].as_array().unwrap() {
        let code = rule["id"].as_str().unwrap();
        let page = format!("https://example.jp/rules/{code}.md");
        assert_eq!(rule["helpUri"], page);
    }
    for wrong in ["https://example.jp/rules", "docs/rules/{code}.md"] {
        let refused = of(wrong);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains("{code}"));
    }
}

#[test]
fn its_own_outcome_is_clean_by_its_own_check() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pulse.json"), PULSE).unwrap();
    let args = ["check", "pulse.json", "--format", "operation-outcome"];
    let outcome = run_in(dir.path(), &args);
    assert_eq!(outcome.status.code(), Some(1));
    let all = text(&outcome.stdout);
    for extension in ["source", "line", "col"] {
        assert!(
            all.contains(&format!("operationoutcome-issue-{extension}")),
            "{all}"
        );
    }
    std::fs::write(dir.path().join("outcome.json"), &outcome.stdout).unwrap();
    let report = json(dir.path(), &["outcome.json"]);
    let found: Vec<_> = report["diagnostics"].as_array().unwrap().iter().collect();
    // The advice that a resource has a narrative.
    assert!(found.iter().all(|f| f["code"] == "dom-6"), "{found:?}");
}

#[test]
fn a_masked_diff_says_how_to_see_the_values() {
    let (dir, _) = folder();
    let said = |more: &[&str]| {
        let mut args = vec!["check", "root", "--diff", "--lang", "en"];
        args.extend(more);
        text(&run_in(dir.path(), &args).stderr)
    };
    assert!(said(&[]).contains("--show-values always shows them"));
    assert!(!said(&["--show-values", "always"]).contains("--show-values"));
}

#[test]
fn machine_formats_are_the_same_for_any_threads_and_locale() {
    let dir = fixtures("");
    for format in [
        "json",
        "ndjson",
        "sarif",
        "junit",
        "github",
        "gitlab",
        "checkstyle",
        "markdown",
        "operation-outcome",
    ] {
        let out = |jobs: &str, lang: &str| {
            let args = [
                "check",
                "broken",
                "standard_root",
                "--format",
                format,
                "--jobs",
                jobs,
            ];
            warifu(&args)
                .current_dir(&dir)
                .env("LANG", lang)
                .output()
                .unwrap()
        };
        let (one, many) = (out("1", "C"), out("8", "ja_JP.UTF-8"));
        assert_eq!(one.status.code(), Some(1), "{}", text(&one.stderr));
        assert!(
            one.stdout.len() > 100 && one.stdout == many.stdout,
            "{format}"
        );
        assert!(
            !one.stdout.contains(&0x1b) && !one.stdout.ends_with(b"\n\n"),
            "{format}"
        );
    }
}

#[test]
fn every_exit_code_has_two_causes() {
    let (dir, _) = folder();
    let code = |args: &[&str]| {
        let mut all = vec!["check"];
        all.extend(args);
        run_in(dir.path(), &all).status.code()
    };
    assert_eq!(code(&["root", "--select", "HL7101"]), Some(0));
    assert_eq!(code(&["root", "--fail-on", "never"]), Some(0));
    assert_eq!(code(&["root", "--select", "ENC107"]), Some(1));
    assert_eq!(
        code(&["root", "--select", "HL7104", "--fail-on", "info"]),
        Some(1)
    );
    assert_eq!(code(&["root", "--select", "HL7104"]), Some(0));
    assert_eq!(
        code(&["root", "--select", "ENC107", "--severity", "ENC107=info"]),
        Some(0)
    );
    assert_eq!(code(&["rot"]), Some(2));
    assert_eq!(code(&["root", "--select", "ENC1199"]), Some(2));
    assert_eq!(code(&["root", "--format", "jsn"]), Some(2));
    assert_eq!(
        code(&["root", "--format", "json", "--format", "sarif"]),
        Some(2)
    );
    assert_eq!(
        code(&["root", "--columns", "utf8", "--format", "sarif"]),
        Some(2)
    );
    assert_eq!(code(&["root", "--update-baseline"]), Some(2));
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    assert_eq!(code(&["empty"]), Some(2));
}

#[test]
fn mistakes_have_their_wording() {
    let (dir, _) = folder();
    for (args, ja, en) in [
        (
            vec!["check", "root", "--select", "ENC129"],
            "エラー: --select の ENC129 という規則はありません。近いもの: ENC120。一覧: warifu rule\n",
            "error: --select: no rule ENC129. Close: ENC120. List: warifu rule\n",
        ),
        (
            vec!["check", "rot"],
            "エラー: rot が見つかりません。もしかして: root\n",
            "error: rot not found. Did you mean root?\n",
        ),
        (
            vec!["check", "root", "--profile", "nhoo"],
            "エラー: --profile の nhoo というプロファイルはありません。近いもの: nho。一覧: ssmix2-1.2g, nho, strict\n",
            "error: --profile: no profile nhoo. Close: nho. There are: ssmix2-1.2g, nho, strict\n",
        ),
    ] {
        for (lang, want) in [("ja", ja), ("en", en)] {
            let mut args = args.clone();
            args.extend(["--lang", lang]);
            assert_eq!(text(&run_in(dir.path(), &args).stderr), want);
        }
    }
}

#[test]
fn a_mistake_in_the_configuration_is_named_with_its_line() {
    let (dir, _) = folder();
    let toml = "[check]\nignore = [\"ENC107\"]\n[[check.override]]\npaths = [\"**\"]\nselect = [\"ENC129\"]\n";
    std::fs::write(dir.path().join("warifu.toml"), toml).unwrap();
    let wrong = |args: &[&str]| {
        let args = [&["check", "root", "--lang", "ja"], args].concat();
        let out = run_in(dir.path(), &args);
        assert_eq!(out.status.code(), Some(2));
        text(&out.stderr)
    };
    assert_eq!(
        wrong(&["--config", "warifu.toml"]),
        "エラー: warifu.toml:5: [check] select の ENC129 という規則はありません。近いもの: ENC120。一覧: warifu rule\n"
    );
    // What a flag has wrong is the flag's.
    assert!(
        wrong(&["--config", "warifu.toml", "--select", "ENC128"]).contains("--select の ENC128")
    );
    for (toml, want) in [
        (
            "[check]\nprofile = \"nho\"\n",
            "warifu.toml:2: ここには配列 ([\"…\", \"…\"])が要りますが、文字列です。[\"nho\"] と書いてください",
        ),
        (
            "[check]\npreview = \"yes\"\n",
            "warifu.toml:2: ここにはtrue か falseが要りますが、文字列です",
        ),
        (
            "[check]\npreview = = 1\n",
            "warifu.toml:2: TOML として読めません (",
        ),
        (
            "[check]\n[[check.override]]\npaths = [\"**\"]\n[[check.override]]\nignore = [\"ENC\"]\n",
            "warifu.toml:4: [[check.override]] に paths がありません。",
        ),
        (
            "[[check.override]]\npaths = [\"a/**\",\n \"**/[\"]\n",
            "warifu.toml:3: [[check.override]] paths の \"**/[\" はパスの型として読めません。",
        ),
        (
            "[check]\nfail-on = \"eror\"\n",
            "warifu.toml:2: [check] fail-on の eror という程度はありません。もしかして: error。書けるもの: error, warning, info, never",
        ),
        (
            "[check]\n[[check.override]]\npaths = [\"**\"]\nprofile = [\"nhoo\"]\n",
            "warifu.toml:4: [check] profile の nhoo というプロファイルはありません。近いもの: nho。",
        ),
        (
            "[check]\nselect = [\"SSN\"]\n",
            "warifu.toml:2: [check] select の SSN という規則はありません。近いもの: SSM。",
        ),
    ] {
        std::fs::write(dir.path().join("warifu.toml"), toml).unwrap();
        let told = wrong(&["--config", "warifu.toml"]);
        assert!(told.starts_with(&format!("エラー: {want}")), "{told}");
    }
    std::fs::write(dir.path().join("warifu.toml"), "").unwrap();
    let told = wrong(&["--config", "warifu.toml", "--select", "FOO"]);
    assert!(
        told.contains("番号の先頭: CLI, CLN, ENC, FHR, HL7, JPC, MAP, NHO, SSM。"),
        "{told}"
    );
    let told = wrong(&["--config", "warifu.toml", "--format", "foo"]);
    assert!(
        told.contains("一覧: text, json") && told.contains("sarif"),
        "{told}"
    );
    let toml = "[check.severity]\nENC107 = \"fatal\"\n";
    std::fs::write(dir.path().join("warifu.toml"), toml).unwrap();
    assert_eq!(
        wrong(&["--config", "warifu.toml"]),
        "エラー: warifu.toml:2: [check] severity の ENC107 の程度 fatal はありません (error, warning, info, off)\n"
    );
}

#[test]
fn a_path_given_twice_is_checked_once() {
    let (dir, _) = folder();
    let once = json(dir.path(), &["root"]);
    assert_eq!(once["summary"]["files"], 1);
    assert_eq!(json(dir.path(), &["root", "./root", "root/"]), once);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_refused_in_words_and_read_below_its_folder() {
    use std::os::unix::ffi::OsStrExt as _;
    let (dir, _) = folder();
    let name = std::ffi::OsStr::from_bytes(b"a\xff.hl7");
    std::fs::create_dir(dir.path().join("odd")).unwrap();
    std::fs::write(dir.path().join("odd").join(name), MESSAGE).unwrap();
    for command in ["check", "convert", "show"] {
        let given = std::path::Path::new("odd").join(name);
        let mut tool = warifu(&[command, "--lang", "ja"]);
        let out = tool.arg(given).current_dir(dir.path()).output().unwrap();
        assert_eq!(out.status.code(), Some(2));
        assert!(
            text(&out.stderr).starts_with("エラー: odd/a%FF.hl7: 名前が UTF-8 ではない"),
            "{}",
            text(&out.stderr)
        );
    }
    let found = json(dir.path(), &["odd"]);
    assert_eq!(found["diagnostics"][0]["primary"]["file"], "odd/a%FF.hl7");
}

#[test]
fn reasons_in_brackets_are_japanese_in_japanese() {
    let dir = tempfile::tempdir().unwrap();
    let journal = "#SSMIX,2.00,1310000003,77,-,ADT-00,1,UPD,-,20260401093015123\r\nMSH|\r";
    std::fs::write(dir.path().join("TR_20260401000000000_00001.DAT"), journal).unwrap();
    for (lang, want) in [
        ("ja", "(処理区分が INS でも DEL でもない)"),
        ("en", "(journal-operation-neither-ins-nor-del)"),
    ] {
        let out = run_in(
            dir.path(),
            &["check", ".", "--lang", lang, "--config", "none"],
        );
        assert!(text(&out.stdout).contains(want), "{}", text(&out.stdout));
    }
}

#[test]
fn a_fix_that_may_change_the_meaning_is_made_only_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.hl7");
    let old = b"MSH|^~\\&|A|B|C|D|20260401093015.000||ADT^A08^ADT_A01|1|P|2.5\rPID|1||1^^^^PI||A^B||1980/4/2|M\r";
    let fix = |flags: &[&str]| {
        std::fs::write(&file, old).unwrap();
        run_in(
            dir.path(),
            &[
                &[
                    "check", "a.hl7", "--select", "HL7226", "--fix", "--config", "none",
                ],
                flags,
            ]
            .concat(),
        );
        text(&std::fs::read(&file).unwrap())
    };
    assert_eq!(fix(&[]), text(old));
    assert_eq!(
        fix(&["--unsafe-fixes"]),
        text(old).replace("1980/4/2", "19800402")
    );
}

#[test]
fn no_value_leaves_unless_asked() {
    let (dir, file) = folder();
    for format in [
        "text",
        "json",
        "ndjson",
        "sarif",
        "junit",
        "github",
        "gitlab",
        "checkstyle",
        "markdown",
        "operation-outcome",
    ] {
        let o = run_in(
            dir.path(),
            &["check", "root", "--format", format, "--fail-on", "never"],
        );
        let all = text(&o.stdout) + &text(&o.stderr);
        assert!(all.contains("ENC107"), "{format}: {all}");
        assert!(!all.contains("CANARYVALUE"), "{format}: {all}");
    }
    let args = ["check", "root", "--show-values", "always"];
    assert!(text(&run_in(dir.path(), &args).stdout).contains("CANARYVALUE"));
    let masked = warifu(&["check", "root", "--mask-paths"])
        .current_dir(dir.path())
        .env("WARIFU_MASK_KEY", "0123456789abcdef")
        .output()
        .unwrap();
    let all = text(&masked.stdout) + &text(&masked.stderr);
    assert!(all.contains("p-") && !all.contains("0000000123"), "{all}");
    assert!(file.is_file());
}

#[test]
fn standard_input_and_archives_are_checked_like_files() {
    let (dir, file) = folder();
    let pipe = |args: &[&str], bytes: &[u8]| {
        let mut child = warifu(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap()
    };
    let named = pipe(
        &["check", "-", "--format", "json", "--stdin-name", NAME],
        MESSAGE,
    );
    let named: Value = serde_json::from_slice(&named.stdout).unwrap();
    let there = json(file.parent().unwrap(), &[NAME]);
    assert_eq!(named, there);
    let nameless = pipe(&["check", "-"], MESSAGE);
    // --fix is offered where it works.
    let of_disk = run_in(dir.path(), &["check", "root", "--lang", "ja"]);
    assert!(text(&of_disk.stdout).contains("--fix") && text(&of_disk.stderr).contains("自動修正"));
    let of_pipe = pipe(&["check", "-", "--lang", "ja"], MESSAGE);
    assert!(
        !text(&of_pipe.stdout).contains("--fix"),
        "{}",
        text(&of_pipe.stdout)
    );
    assert!(
        !text(&of_pipe.stderr).contains("自動修正"),
        "{}",
        text(&of_pipe.stderr)
    );
    assert!(
        text(&nameless.stderr).contains("--stdin-name"),
        "{}",
        text(&nameless.stderr)
    );
    assert!(!text(&nameless.stdout).contains("SSM101"));

    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("root", dir.path().join("root")).unwrap();
    let archive = tar.into_inner().unwrap();
    let found = pipe(&["check", "-", "--format", "ndjson"], &archive);
    let first: Value = serde_json::from_str(text(&found.stdout).lines().next().unwrap()).unwrap();
    let path = first["primary"]["file"].as_str().unwrap();
    assert!(path.ends_with(NAME), "{path}");
    let fix = pipe(&["check", "-", "--fix"], &archive);
    assert_eq!(fix.status.code(), Some(2));
}

#[test]
fn the_baseline_fails_on_new_findings_only_and_names_solved_ones() {
    let (dir, file) = folder();
    let check = |args: &[&str]| {
        let mut all = vec!["check", "root", "--baseline", "b.json"];
        all.extend(args);
        run_in(dir.path(), &all)
    };
    assert_eq!(check(&[]).status.code(), Some(2));
    assert_eq!(check(&["--update-baseline"]).status.code(), Some(0));
    let written = std::fs::read_to_string(dir.path().join("b.json")).unwrap();
    assert!(
        written.contains("\"code\":\"ENC107\",\"count\":1"),
        "{written}"
    );
    assert_eq!(check(&[]).status.code(), Some(0));
    // A renamed flag, a new time and a moved line change nothing.
    let renamed = file.with_file_name(NAME.replace("093015123_01_1", "103015123_01_1"));
    std::fs::remove_file(&file).unwrap();
    let at = MESSAGE.windows(4).position(|w| w == b"PID|").unwrap();
    let (head, tail) = MESSAGE.split_at(at);
    std::fs::write(&renamed, [head, b"EVN|R22\r", tail].concat()).unwrap();
    let after = check(&["--select", "ENC107"]);
    assert_eq!(after.status.code(), Some(0), "{}", text(&after.stdout));
    // A second equal fault is new.
    std::fs::write(&renamed, [head, tail, b"NK1|1|\x1b(ITO@^\x1b(B\r"].concat()).unwrap();
    let worse = check(&["--select", "ENC107"]);
    assert_eq!(worse.status.code(), Some(1));
    assert!(
        text(&worse.stdout).contains("NK1-2"),
        "{}",
        text(&worse.stdout)
    );
    assert!(
        !text(&worse.stdout).contains("PID-5"),
        "{}",
        text(&worse.stdout)
    );
    std::fs::write(
        &renamed,
        b"MSH|^~\\&|A|B|C|D|20260401093015||OUL^R22^OUL_R22|1|P|2.5\r",
    )
    .unwrap();
    let solved = check(&["--select", "ENC107", "--lang", "ja"]);
    assert_eq!(solved.status.code(), Some(0));
    assert!(
        text(&solved.stderr).contains("基準から消せるもの"),
        "{}",
        text(&solved.stderr)
    );
}

#[test]
fn configuration_chooses_rules_by_path() {
    let (dir, _) = folder();
    let config = |text: &str| std::fs::write(dir.path().join("warifu.toml"), text).unwrap();
    let codes = || -> Vec<String> {
        json(dir.path(), &["root"])["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| {
                format!(
                    "{} {}",
                    d["code"].as_str().unwrap(),
                    d["severity"].as_str().unwrap()
                )
            })
            .collect()
    };
    config("[check]\nselect = [\"ENC107\", \"HL7104\"]\n");
    assert_eq!(codes(), ["HL7104 info", "ENC107 warning"]);
    config(
        "[check]\nselect = [\"ENC107\", \"HL7104\"]\n[check.severity]\nENC107 = \"error\"\n[[check.override]]\npaths = [\"**/OML-1?/**\"]\nignore = [\"HL7\"]\n",
    );
    assert_eq!(codes(), ["ENC107 error"]);
    // SSM154 is of the profile strict.
    let strict = |paths: &str| {
        format!(
            "[check]\nselect = [\"ENC107\", \"SSM15\"]\n[[check.override]]\npaths = [\"{paths}\"]\nprofile = [\"strict\"]\n"
        )
    };
    config(&strict("**/OML-01/**"));
    let without = codes();
    config(&strict("**/OML-11/**"));
    let with = codes();
    assert!(with.len() > without.len(), "{with:?} {without:?}");
    config("[check]\nselct = [\"ENC\"]\n");
    let bad = run_in(dir.path(), &["check", "root"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(
        text(&bad.stderr).contains("Did you mean select?"),
        "{}",
        text(&bad.stderr)
    );
}

/// Applies the fixes of a SARIF run to a file.
fn apply_sarif(bytes: &[u8], sarif: &Value) -> Vec<u8> {
    use base64::Engine as _;
    let number = |v: &Value| usize::try_from(v.as_u64().unwrap()).unwrap();
    let mut edits: Vec<(usize, usize, Vec<u8>)> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|r| r["fixes"].as_array().cloned().unwrap_or_default())
        .flat_map(|f| {
            f["artifactChanges"][0]["replacements"]
                .as_array()
                .unwrap()
                .clone()
        })
        .map(|r| {
            let at = number(&r["deletedRegion"]["byteOffset"]);
            let content = r["insertedContent"]["binary"].as_str().unwrap();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(content)
                .unwrap();
            (at, number(&r["deletedRegion"]["byteLength"]), bytes)
        })
        .collect();
    edits.sort();
    let mut out = bytes.to_vec();
    for (at, length, instead) in edits.into_iter().rev() {
        out.splice(at..at + length, instead);
    }
    out
}

#[test]
fn fixes_change_only_what_they_name_and_twice_is_once() {
    let (dir, file) = folder();
    let sarif = run_in(dir.path(), &["check", "root", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let wanted = apply_sarif(MESSAGE, &sarif);

    let shown = run_in(dir.path(), &["check", "root", "--diff"]);
    assert_eq!(std::fs::read(&file).unwrap(), MESSAGE);
    assert!(wanted != MESSAGE);
    assert!(
        text(&shown.stdout).contains("\n+++ root/000/"),
        "{}",
        text(&shown.stdout)
    );
    assert_eq!(shown.status.code(), Some(1));
    let fixed = run_in(dir.path(), &["check", "root", "--fix"]);
    assert_ne!(fixed.status.code(), Some(2), "{}", text(&fixed.stderr));
    let once = std::fs::read(&file).unwrap();
    assert_eq!(once, wanted);
    run_in(dir.path(), &["check", "root", "--fix"]);
    assert_eq!(std::fs::read(&file).unwrap(), once);
    // Nothing else is left in the folder.
    assert_eq!(tree(dir.path()).len(), 1);
}

#[test]
fn several_formats_are_written_at_once_and_statistics_follow_the_text() {
    let (dir, _) = folder();
    let o = run_in(
        dir.path(),
        &[
            "check",
            "root",
            "--format",
            "sarif=a.sarif",
            "--format",
            "junit=b.xml",
            "--statistics",
            "--lang",
            "en",
        ],
    );
    let shown = text(&o.stdout);
    assert!(
        shown.contains("warning[ENC107]") && shown.contains("ENC107  *"),
        "{shown}"
    );
    assert!(shown.contains("OML-11"), "{shown}");
    let alone = run_in(
        dir.path(),
        &["check", "root", "--format", "sarif", "--lang", "en"],
    );
    assert!(std::fs::read(dir.path().join("a.sarif")).unwrap() == alone.stdout);
    assert!(dir.path().join("b.xml").is_file());
    let report = json(dir.path(), &["root", "--statistics"]);
    let counted = report["statistics"].as_array().unwrap();
    assert!(
        counted
            .iter()
            .any(|s| s["code"] == "ENC107" && s["kind"] == "OML-11" && s["warnings"] == 1),
        "{counted:?}"
    );
    let quiet = run_in(dir.path(), &["check", "root", "-qq"]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty());
    assert_eq!(quiet.status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn watching_checks_again_after_a_change_and_ends_with_ctrl_c() {
    let (dir, file) = folder();
    // Another patient, of whom nothing changes: the findings stay.
    let other = file
        .to_str()
        .unwrap()
        .replace("/000/0000000123", "/001/0000010123");
    let other = PathBuf::from(other.replace("0000000123_", "0000010123_"));
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::write(&other, MESSAGE).unwrap();
    let watching = || {
        warifu(&[
            "check", "root", "--watch", "--lang", "en", "--select", "ENC107",
        ])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
    };
    let mut child = watching();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let until_watching = |notes: &mut std::io::Lines<BufReader<std::process::ChildStderr>>| {
        let mut seen = String::new();
        for line in notes.by_ref() {
            let line = line.unwrap();
            seen.push_str(&line);
            if line.starts_with("watching") {
                return seen;
            }
        }
        seen
    };
    assert!(until_watching(&mut notes).contains("warnings 2"));
    std::fs::write(
        &file,
        b"MSH|^~\\&|A|B|C|D|20260401093015||OUL^R22^OUL_R22|1|P|2.5\r",
    )
    .unwrap();
    assert!(until_watching(&mut notes).contains("warnings 1"));
    let end = |child: &mut std::process::Child, signal: &str| {
        let pid = child.id().to_string();
        std::process::Command::new("kill")
            .args([signal, &pid])
            .status()
            .unwrap();
        child.wait().unwrap().code()
    };
    // As docs/ci.md has it, whatever was found.
    assert_eq!(end(&mut child, "-INT"), Some(130));
    let mut child = watching();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    until_watching(&mut notes);
    assert_eq!(end(&mut child, "-TERM"), Some(143));
}

#[test]
fn a_file_of_a_large_storage_is_found_in_order() {
    // More units than may be under way at once, checked by many threads.
    let dir = tempfile::tempdir().unwrap();
    for n in 0..300u32 {
        let id = format!("{n:010}");
        let folder = dir
            .path()
            .join("root")
            .join(&id[..3])
            .join(&id[3..6])
            .join(&id);
        let folder = folder.join("20260401/OML-11");
        std::fs::create_dir_all(&folder).unwrap();
        let name = NAME.replace("0000000123", &id);
        std::fs::write(folder.join(name), MESSAGE).unwrap();
    }
    let with = |jobs| {
        [
            "check", "root", "--format", "json", "--select", "ENC107", "--jobs", jobs,
        ]
    };
    let bytes = |jobs| run_in(dir.path(), &with(jobs)).stdout;
    assert_eq!(bytes("1"), bytes("7"));
    let out: Value = serde_json::from_slice(&bytes("7")).unwrap();
    let found = out["diagnostics"].as_array().unwrap();
    assert_eq!(
        (found.len(), &out["summary"]["files"]),
        (300, &Value::from(300))
    );
    let paths: Vec<&str> = found
        .iter()
        .map(|d| d["primary"]["file"].as_str().unwrap())
        .collect();
    assert!(paths.is_sorted());
    assert_eq!(run(&["check", "-", "-", "x"]).status.code(), Some(2));
}

/// A device or a pipe is written to, a link leads on, and permissions stay: as root, a rename would
/// take the place of `/dev/null`.
#[cfg(unix)]
#[test]
fn a_report_replaces_files_only() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};

    let (dir, _) = folder();
    let report = |path: &str| {
        let format = format!("json={path}");
        let o = run_in(dir.path(), &["check", "root", "-qq", "--format", &format]);
        assert_eq!(o.status.code(), Some(1), "{}", text(&o.stderr));
        o
    };
    let direct = json(dir.path(), &["root"]);
    let piped: Value = serde_json::from_slice(&report("/dev/stdout").stdout).unwrap();
    assert_eq!(piped, direct);
    report("/dev/null");
    let null = std::fs::metadata("/dev/null").unwrap();
    assert!(null.file_type().is_char_device());

    let own = dir.path().join("own.json");
    std::fs::write(&own, "old").unwrap();
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("own.json", dir.path().join("link.json")).unwrap();
    report("link.json");
    assert!(dir.path().join("link.json").is_symlink());
    let written: Value = serde_json::from_slice(&std::fs::read(&own).unwrap()).unwrap();
    assert_eq!(written, direct);
    assert_eq!(own.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

/// The limit is on addresses: it holds whatever else the machine does, and counts what is only reserved, too.
#[cfg(target_os = "linux")]
#[test]
fn a_bundle_of_fifty_megabytes_is_checked_in_bounded_memory() {
    use std::fmt::Write as _;

    const KILOBYTES: u32 = 600_000;
    let dir = tempfile::tempdir().unwrap();
    let mut bundle = r#"{"resourceType": "Bundle", "type": "collection", "entry": ["#.to_owned();
    let entries = 127_000;
    for n in 0..entries {
        let comma = if n == 0 { "" } else { ",\n" };
        let gender = if n + 1 < entries { "female" } else { "F" };
        write!(
            bundle,
            r#"{comma}{{"fullUrl": "http://h.jp/fhir/Patient/p{n}", "resource": {{"resourceType": "Patient",
            "id": "p{n}", "text": {{"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">{n}</div>"}},
            "identifier": [{{"system": "http://h.jp/patient", "value": "{n:010}"}}], "name": [{{"text": "試験 花子"}}],
            "birthDate": "1968-03-03", "gender": "{gender}"}}}}"#
        )
        .unwrap();
    }
    bundle.push_str("]}");
    assert!(bundle.len() >= 50_000_000, "{}", bundle.len());
    std::fs::write(dir.path().join("bundle.json"), &bundle).unwrap();
    let command = format!("ulimit -v {KILOBYTES} && exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_warifu");
    let out = std::process::Command::new("sh")
        .args(["-c", &command, program])
        .args(["check", "bundle.json", "--format", "json", "--jobs", "1"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", text(&out.stderr)));
    let found: Vec<(&str, &str)> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["code"].as_str().unwrap(),
                d["primary"]["path"].as_str().unwrap(),
            )
        })
        .collect();
    let last = format!("Bundle.entry[{}].resource.gender", entries - 1);
    assert_eq!(found, [("FHR101", last.as_str())]);
}
