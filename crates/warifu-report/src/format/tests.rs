use warifu_diag::{Diagnostic, FieldPath, Severity, Span, catalogue};
use warifu_source::Charset;

use super::*;
use crate::excerpt::Excerpt;
use crate::finding::{Edit, Finding, FixView, finding};
use crate::fingerprint::Fingerprints;
use crate::position::SourceText;

const PATH: &str = "standard_root/000/000/0000000123/-/ADT-00/0000000123_-_ADT-00_999999999999999_20260401093015123_-_1";

/// A name in half-width kana (第二反復の姓), in the way ISO-2022-JP writes it.
const MESSAGE: &[u8] = b"MSH|^~\\&|A|B|C|D|20260401093015||ADT^A08|1|P|2.5||||||~ISO IR87\rEVN|A08|20260401093015\rPID|||0000000123^^^^PI||\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I~\x1b(ITO@^\x1b(B^\x1b$B%?%m%&\x1b(B^^^^^L^P||19800402|M\r";

fn context(lang: Lang) -> Context {
    Context {
        version: "0.0.0".to_owned(),
        lang,
        units: Units::Utf16,
        lookup: warifu_diag::lookup,
        baseline: false,
        rewritable: true,
        rule_pages: None,
        timestamp: "1970-01-01T00:00:00".to_owned(),
        colour: false,
        statistics: false,
    }
}

fn place() -> (u32, u32) {
    let at = MESSAGE.windows(3).position(|w| w == b"\x1b(I").unwrap();
    (u32::try_from(at).unwrap(), u32::try_from(at + 10).unwrap())
}

/// One finding with a fix.
fn one(lang: Lang, show_values: bool) -> FileReport {
    let (start, end) = place();
    let mut d = Diagnostic::new(&catalogue::enc::ENC107, Span::default());
    (d.span.start, d.span.end) = (start, end);
    d.path = Some(FieldPath {
        segment: *b"PID",
        ordinal: 1,
        field: 5,
        repetition: 2,
        component: 1,
        subcomponent: 0,
        repeats: true,
    });
    let text = SourceText::new(MESSAGE, Charset::Iso2022Jp);
    let mut f = finding(&d, PATH, Some(&text), lang, Units::Utf16);
    f.fix = Some(FixView {
        applicability: "safe".to_owned(),
        title: "全角カナにする".to_owned(),
        edits: vec![Edit {
            span: [start, end].map(u64::from),
            bytes: "GyRCJWQlXiVAGyhC".to_owned(),
        }],
    });
    let mut file = FileReport {
        path: PATH.to_owned(),
        kind: Some("ADT-00".to_owned()),
        charset: Some("ISO-2022-JP".to_owned()),
        length: u64::try_from(MESSAGE.len()).unwrap(),
        findings: vec![f],
        excerpts: vec![Excerpt::new(
            &d,
            Some(&text),
            None,
            lang,
            Units::Utf16,
            show_values,
        )],
        ..FileReport::default()
    };
    Fingerprints::default().give(&mut file);
    file
}

fn clean() -> FileReport {
    FileReport {
        findings: Vec::new(),
        excerpts: Vec::new(),
        ..one(Lang::Ja, false)
    }
}

fn write(mut files: Vec<FileReport>, format: Format, lang: Lang) -> String {
    let mut totals = Totals::default();
    for f in &files {
        totals.add(f);
    }
    String::from_utf8(render(&mut files, &totals, format, context(lang))).unwrap()
}

#[test]
fn one_finding_and_none_in_every_format() {
    for format in Format::ALL {
        let name = format.word();
        insta::assert_snapshot!(
            format!("{name}-one"),
            write(vec![one(Lang::Ja, false)], format, Lang::Ja)
        );
        insta::assert_snapshot!(
            format!("{name}-none"),
            write(vec![clean()], format, Lang::Ja)
        );
    }
}

#[test]
fn frames_show_values_only_when_asked() {
    let masked = write(vec![one(Lang::En, false)], Format::Text, Lang::En);
    assert!(
        masked.contains("PID|||9999999999^^^^PI||漢漢^漢漢^^^^^L^I~ｶｶｶｶ^カカカ"),
        "{masked}"
    );
    let shown = write(vec![one(Lang::En, true)], Format::Text, Lang::En);
    assert!(
        shown.contains("PID|||0000000123^^^^PI||山田^太郎^^^^^L^I~ﾔﾏﾀﾞ^タロウ"),
        "{shown}"
    );
    for text in [masked, shown] {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], format!(" --> {PATH}:3:39"));
        // Two columns for each kanji before: 47 cells, then four half-width ones.
        let caret = lines[4].strip_prefix("  | ").unwrap();
        assert_eq!(caret.find('^'), Some(42), "{text}");
        assert!(
            caret
                .trim_start()
                .starts_with("^^^^ PID-5[2].1 Patient Name, Family Name"),
            "{text}"
        );
    }
}

#[test]
fn frames_fit_combining_marks_tabs_and_long_lines() {
    let long = "x".repeat(5000);
    let bytes = format!("MSH|^~\\&\rOBX|1|か\u{3099}\tb|{long}|z|{long}\r");
    let text = SourceText::new(bytes.as_bytes(), Charset::Utf8);
    let at = u32::try_from(bytes.find("|z|").unwrap() + 1).unwrap();
    for show in [true, false] {
        let mut d = Diagnostic::new(&catalogue::enc::ENC107, Span::default());
        (d.span.start, d.span.end) = (at, at + 1);
        let e = Excerpt::new(&d, Some(&text), None, Lang::En, Units::Utf16, show);
        assert!(e.text.chars().count() < 600, "{}", e.text.len());
        assert_eq!(&e.text[e.start..e.end], if show { "z" } else { "A" });
        assert_eq!((e.line, e.column), (2, 5013));
    }
    let at = u32::try_from(bytes.find("b|").unwrap()).unwrap();
    let mut d = Diagnostic::new(&catalogue::enc::ENC107, Span::default());
    (d.span.start, d.span.end) = (at, at + 1);
    let f = finding(&d, "p", Some(&text), Lang::En, Units::Utf16);
    let e = Excerpt::new(&d, Some(&text), None, Lang::En, Units::Utf16, true);
    let file = FileReport {
        path: "p".to_owned(),
        findings: vec![f],
        excerpts: vec![e],
        ..FileReport::default()
    };
    let shown = write(vec![file], Format::Text, Lang::En);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], " --> p:2:10");
    // OBX|1| is 6 cells, か with its mark 2, a tab 4.
    assert_eq!(lines[4].find('^'), Some("  | ".len() + 12), "{shown}");
}

/// `n` findings of four codes in files of a hundred; the last one is the only error.
fn many(n: usize) -> Vec<FileReport> {
    let template = one(Lang::Ja, false);
    let codes = ["ENC107", "ENC105", "HL7101"];
    (0..n)
        .collect::<Vec<_>>()
        .chunks(100)
        .map(|chunk| {
            let path = format!("f{:06}", chunk[0]);
            let findings: Vec<Finding> = chunk
                .iter()
                .map(|i| {
                    let last = *i == n - 1;
                    let mut f = template.findings[0].clone();
                    f.code = if last { "SSM101" } else { codes[i % 3] }.to_owned();
                    f.severity = if last {
                        Severity::Error
                    } else {
                        Severity::Warning
                    }
                    .word()
                    .to_owned();
                    f.primary.file.clone_from(&path);
                    f
                })
                .collect();
            let mut file = FileReport {
                path,
                excerpts: vec![template.excerpts[0].clone(); findings.len()],
                findings,
                ..template.clone()
            };
            Fingerprints::default().give(&mut file);
            file
        })
        .collect()
}

/// Totals by rule and data kind stand in `json` and at the end of `ndjson`, when they are asked for.
#[test]
fn statistics_are_read_by_machines_too() {
    let summary = |format: Format, statistics: bool| {
        let mut files = [one(Lang::En, false), FileReport::default()];
        if let Some(f) = files[0].findings.first().cloned() {
            files[1]
                .findings
                .push(crate::finding::Finding { kind: None, ..f });
        }
        let mut totals = Totals::default();
        for f in &files {
            totals.add(f);
        }
        let context = Context {
            statistics,
            ..context(Lang::En)
        };
        let text = String::from_utf8(render(&mut files, &totals, format, context)).unwrap();
        let end = match format {
            Format::Ndjson => text.lines().last().unwrap().to_owned(),
            _ => text,
        };
        serde_json::from_str::<serde_json::Value>(&end).unwrap()["statistics"].clone()
    };
    for format in [Format::Json, Format::Ndjson] {
        assert_eq!(summary(format, false), serde_json::Value::Null);
        assert_eq!(
            summary(format, true),
            serde_json::json!([
                {"code": "ENC107", "errors": 0, "warnings": 1, "infos": 0},
                {"code": "ENC107", "kind": "ADT-00", "errors": 0, "warnings": 1, "infos": 0}
            ])
        );
    }
}

/// Without an address nothing is linked; with one, each rule leads to its page, and the tool to their folder.
#[test]
fn sarif_links_the_pages_of_rules() {
    let driver = |pages: Option<&str>| {
        let context = Context {
            rule_pages: pages.map(str::to_owned),
            ..context(Lang::En)
        };
        let mut files = [one(Lang::En, false)];
        let mut totals = Totals::default();
        for f in &files {
            totals.add(f);
        }
        let text = render(&mut files, &totals, Format::Sarif, context);
        let sarif: serde_json::Value = serde_json::from_slice(&text).unwrap();
        sarif["runs"][0]["tool"]["driver"].clone()
    };
    let linked = driver(Some("https://example.jp/rules/{code}.md"));
    assert_eq!(linked["informationUri"], "https://example.jp/rules/");
    let rule = &linked["rules"][0];
    assert_eq!(rule["helpUri"], "https://example.jp/rules/ENC107.md");
    let plain = driver(None);
    assert!(plain.get("informationUri").is_none());
    assert!(plain["rules"][0].get("helpUri").is_none());
}

#[test]
fn thirty_thousand_findings_stay_in_every_limit() {
    let files = many(30_000);
    let of = |format| write(files.clone(), format, Lang::Ja);

    let sarif: serde_json::Value = serde_json::from_str(&of(Format::Sarif)).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 5000);
    assert!(
        results
            .iter()
            .any(|r| r["ruleId"] == "SSM101" && r["level"] == "error")
    );
    let note = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(
        note.as_str().unwrap().starts_with("ほか 25000 件"),
        "{note}"
    );
    // Far below 10 MB even without compression.
    assert!(sarif.to_string().len() < 10_000_000);
    for r in results {
        let rule = usize::try_from(r["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], r["ruleId"]);
        let location = &r["locations"][0]["physicalLocation"]["artifactLocation"];
        let artifact = usize::try_from(location["index"].as_u64().unwrap()).unwrap();
        assert_eq!(
            run["artifacts"][artifact]["location"]["uri"],
            location["uri"]
        );
    }

    let github = of(Format::Github);
    let count = |word: &str| github.lines().filter(|l| l.starts_with(word)).count();
    assert_eq!(
        (count("::error "), count("::warning "), count("::notice ")),
        (1, 10, 0)
    );
    assert!(
        github.contains("::warning title=warifu::ほか 29990 件は summary に\n"),
        "{github}"
    );
    for code in ["ENC107", "ENC105", "HL7101", "SSM101"] {
        assert!(
            github.contains(&format!("title={code} ")),
            "{code}: {github}"
        );
    }

    let gitlab: serde_json::Value = serde_json::from_str(&of(Format::Gitlab)).unwrap();
    let mut prints: Vec<&str> = gitlab
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["fingerprint"].as_str().unwrap())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 30_000);

    assert!(of(Format::Markdown).len() < 1 << 20);
    for format in [Format::Junit, Format::Checkstyle] {
        let text = of(format);
        let xml = roxmltree::Document::parse(&text).unwrap();
        let tag = if format == Format::Junit {
            "testcase"
        } else {
            "error"
        };
        assert_eq!(
            xml.descendants().filter(|n| n.has_tag_name(tag)).count(),
            30_000
        );
    }
    let text = of(Format::Text);
    // Of each code in a file 20 are shown; the rest of three codes in 300 files is counted.
    assert_eq!(text.lines().filter(|l| l.contains(": ほか 1")).count(), 900);
    assert_eq!(
        text.lines().filter(|l| l.contains("[ENC107]")).count(),
        20 * 300
    );
}

#[test]
fn what_xml_and_commands_cannot_hold_is_escaped() {
    let mut file = one(Lang::Ja, false);
    file.path = "a\u{1}<b>&\"'%,:\n.hl7".to_owned();
    file.findings[0].primary.file.clone_from(&file.path);
    for format in [Format::Junit, Format::Checkstyle] {
        let text = write(vec![file.clone()], format, Lang::Ja);
        let xml = roxmltree::Document::parse(&text).unwrap();
        let name = xml.descendants().find_map(|n| n.attribute("name")).unwrap();
        assert_eq!(name, "a<b>&\"'%,:\n.hl7");
    }
    let text = write(vec![file.clone()], Format::Github, Lang::Ja);
    assert!(
        text.contains("file=a\u{1}<b>&\"'%25%2C%3A%0A.hl7,"),
        "{text}"
    );
    let text = write(vec![file], Format::Sarif, Lang::Ja);
    assert!(
        text.contains("\"uri\":\"a%01%3Cb%3E%26%22%27%25%2C%3A%0A.hl7\""),
        "{text}"
    );
}

#[test]
fn a_span_decodes_to_the_text_at_its_line_and_column() {
    let f = &one(Lang::Ja, false).findings[0];
    let [start, end] = f.primary.span.map(|n| usize::try_from(n).unwrap());
    let text = warifu_source::decode(&MESSAGE[start..end], Charset::Iso2022Jp).text;
    let source = SourceText::new(MESSAGE, Charset::Iso2022Jp);
    let line: Vec<u16> = source.line(f.primary.start.line).encode_utf16().collect();
    let at = |c: u32| usize::try_from(c).unwrap() - 1;
    let shown = &line[at(f.primary.start.column)..at(f.primary.end.column)];
    assert_eq!(String::from_utf16(shown).unwrap(), text);
    assert_eq!(text, "ﾔﾏﾀﾞ");
}

#[test]
fn the_baseline_lets_known_findings_pass_once() {
    let mut twice = one(Lang::Ja, false);
    twice.findings.push(twice.findings[0].clone());
    twice.excerpts.push(twice.excerpts[0].clone());
    Fingerprints::default().give(&mut twice);
    let mut known = crate::baseline::Baseline::default();
    known.add(&one(Lang::Ja, false));
    let mut file = twice.clone();
    assert_eq!(known.take(&mut file), 1);
    assert_eq!(
        (file.findings.len(), file.excerpts.len(), known.left()),
        (1, 1, 0)
    );
    assert_eq!(file.findings[0].fingerprint, twice.findings[1].fingerprint);
}

/// What the schemas of Ant (`JUnit.xsd`) and of Jenkins (`junit-10.xsd`) demand of a document, restated:
/// order and number of elements, attributes that must be there and their types.
fn keeps_to_both_junit_schemas(text: &str) {
    let xml = roxmltree::Document::parse(text).unwrap();
    let suites = xml.root_element();
    assert_eq!(suites.tag_name().name(), "testsuites");
    let elements = |n: &roxmltree::Node<'_, '_>| -> Vec<String> {
        n.children()
            .filter(roxmltree::Node::is_element)
            .map(|c| c.tag_name().name().to_owned())
            .collect()
    };
    let token = |t: &str| !t.is_empty() && t == t.split_whitespace().collect::<Vec<_>>().join(" ");
    let number = |t: &str| t.parse::<u32>().is_ok();
    for (i, suite) in suites
        .children()
        .filter(roxmltree::Node::is_element)
        .enumerate()
    {
        assert_eq!(suite.tag_name().name(), "testsuite");
        for name in ["name", "package", "hostname"] {
            assert!(token(suite.attribute(name).unwrap()), "{name}");
        }
        assert_eq!(suite.attribute("id"), Some(i.to_string().as_str()));
        for name in ["tests", "failures", "errors", "time"] {
            assert!(number(suite.attribute(name).unwrap()), "{name}");
        }
        let shape: String = suite
            .attribute("timestamp")
            .unwrap()
            .chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c })
            .collect();
        assert_eq!(shape, "9999-99-99T99:99:99");
        assert_eq!(suite.attributes().count(), 9);
        let children = elements(&suite);
        let cases = children.iter().filter(|c| *c == "testcase").count();
        let mut order = vec!["properties"];
        order.extend(vec!["testcase"; cases]);
        order.extend(["system-out", "system-err"]);
        assert_eq!(children, order);
        assert_eq!(suite.attribute("tests"), Some(cases.to_string().as_str()));
        let mut failures = 0;
        for case in suite.children().filter(|c| c.has_tag_name("testcase")) {
            assert!(
                token(case.attribute("name").unwrap())
                    && token(case.attribute("classname").unwrap())
            );
            assert!(number(case.attribute("time").unwrap()) && case.attributes().count() == 3);
            let inside = elements(&case);
            assert!(inside.is_empty() || inside == ["failure"]);
            for failure in case.children().filter(|c| c.has_tag_name("failure")) {
                failures += 1;
                assert!(
                    failure.attribute("type").is_some() && failure.attribute("message").is_some()
                );
                assert!(failure.children().all(|c| c.is_text()));
            }
        }
        assert_eq!(
            suite.attribute("failures"),
            Some(failures.to_string().as_str())
        );
    }
}

#[test]
fn junit_keeps_to_both_schemas() {
    let mut info = one(Lang::Ja, false);
    info.path = "z".to_owned();
    info.kind = None;
    info.findings[0].severity = "info".to_owned();
    let mut other = clean();
    other.path = "a b".to_owned();
    keeps_to_both_junit_schemas(&write(
        vec![one(Lang::Ja, false), info, other],
        Format::Junit,
        Lang::Ja,
    ));
    keeps_to_both_junit_schemas(&write(vec![clean()], Format::Junit, Lang::En));
    keeps_to_both_junit_schemas(&write(many(1000), Format::Junit, Lang::Ja));
}

#[test]
fn a_finding_about_a_whole_file_has_a_frame_without_a_line() {
    let d = Diagnostic::new(&catalogue::hl7::HL7101, Span::default());
    let file = FileReport {
        path: "p".to_owned(),
        findings: vec![finding(&d, "p", None, Lang::En, Units::Utf16)],
        excerpts: vec![Excerpt::new(&d, None, None, Lang::En, Units::Utf16, false)],
        ..FileReport::default()
    };
    let text = write(vec![file], Format::Text, Lang::En);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        (lines[0], lines[1]),
        (
            format!("error[HL7101]: {}", d.message_en()).as_str(),
            " --> p:1:1"
        )
    );
    assert!(lines[2..].iter().all(|l| l.starts_with("  = ")), "{text}");
}
