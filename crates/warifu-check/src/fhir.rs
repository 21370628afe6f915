//! FHIR JSON in the same reports as SS-MIX2: a resource, a Bundle, or NDJSON.

use warifu_diag::{Code, catalogue};
use warifu_report::Lang;
use warifu_report::excerpt::Excerpt;
use warifu_report::finding::{FhirView, Finding, Label};
use warifu_report::mask::{json_line, shape};
use warifu_report::position::SourceText;
use warifu_report::report::FileReport;
use warifu_validate::Validator;

use crate::{Given, Options};

/// Every code that the validation finds.
pub fn entries() -> impl Iterator<Item = Code> {
    [
        catalogue::fhr::ALL,
        catalogue::profile::FHR,
        catalogue::profile::JPC,
        catalogue::profile::CLN,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Finds a code of [`entries`] by its number or its name; case does not matter.
pub fn lookup(code_or_name: &str) -> Option<Code> {
    entries().find(|e| {
        e.code.eq_ignore_ascii_case(code_or_name) || e.name.eq_ignore_ascii_case(code_or_name)
    })
}

/// Whether a file of this name is JSON, also where it has nothing that could tell.
pub fn is_named(path: &str) -> bool {
    let end = path.rsplit('.').next().unwrap_or_default();
    ["json", "ndjson", "jsonl"]
        .iter()
        .any(|known| end.eq_ignore_ascii_case(known))
}

/// Whether a file is NDJSON: by its name, or because a line that ends with `}` is followed by one that
/// begins with `{`, which no JSON document has.
fn is_lines(file: &Given) -> bool {
    let named = [&file.path, &file.shown].iter().any(|path| {
        let end = path.rsplit('.').next().unwrap_or_default();
        end.eq_ignore_ascii_case("ndjson") || end.eq_ignore_ascii_case("jsonl")
    });
    let mut lines = file
        .bytes
        .split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let (first, second) = (lines.next(), lines.next());
    named
        || first.is_some_and(|line| line.ends_with(b"}"))
            && second.is_some_and(|line| line.starts_with(b"{"))
}

/// Documents of a file, each with the offset of its bytes: the lines of NDJSON, else the whole.
fn documents(file: &Given) -> Vec<(usize, &[u8])> {
    if !is_lines(file) {
        return vec![(0, &file.bytes)];
    }
    let mut at = 0;
    let mut lines = Vec::new();
    for line in file.bytes.split(|b| *b == b'\n') {
        if line.iter().any(|b| !b.is_ascii_whitespace()) {
            lines.push((at, line));
        }
        at += line.len() + 1;
    }
    lines
}

/// The report of a FHIR file: findings in the order of their bytes, without fingerprints.
pub fn report(validator: &Validator<'_>, file: &Given, options: &Options) -> FileReport {
    let mut report = FileReport {
        path: file.shown.clone(),
        charset: Some("UTF-8".to_owned()),
        length: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        ..FileReport::default()
    };
    let text = SourceText::utf8(&file.bytes);
    for (offset, bytes) in documents(file) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        let found = validator.validate(bytes);
        for f in found.list {
            add(&mut report, file, &text, options, offset, f);
        }
    }
    report.sort();
    report
}

/// What is wrong, with the names that the definitions give it.
fn message(code: Code, f: &warifu_validate::Finding, lang: Lang) -> String {
    let template = match lang {
        Lang::Ja => code.ja,
        Lang::En => code.en,
    };
    let argument = if f.argument.is_empty() {
        "—"
    } else {
        &f.argument
    };
    let mut text = template.replacen("{}", argument, 1);
    if !f.expected.is_empty() && f.expected != f.argument {
        let word = match lang {
            Lang::Ja => "求めるもの",
            Lang::En => "wanted",
        };
        for part in [" (", word, ": ", &f.expected, ")"] {
            text.push_str(part);
        }
    }
    text
}

fn add(
    report: &mut FileReport,
    file: &Given,
    text: &SourceText,
    options: &Options,
    offset: u32,
    f: warifu_validate::Finding,
) {
    let Some(graded) = options.selection.severity(f.code, &file.shown) else {
        return;
    };
    // Invariants say themselves how bad they are.
    let severity = if graded == f.code.severity {
        f.severity
    } else {
        graded
    };
    let span = f.span.start.saturating_add(offset)..f.span.end.saturating_add(offset);
    let help = |lang| match lang {
        Lang::Ja => f.code.help_ja,
        Lang::En => f.code.help_en,
    };
    if let Some(frames) = options.frames {
        let mut e = Excerpt::json(
            [
                &message(f.code, &f, frames.lang),
                help(frames.lang),
                &f.location,
            ],
            span.clone(),
            text,
            options.units,
            frames.show_values,
        );
        e.why = f.reasons.join("\n");
        report.excerpts.push(e);
    }
    let found = if f.is_name || options.show_values {
        f.found.clone()
    } else if f.found.starts_with(['{', '[']) {
        json_line(&f.found)
    } else {
        shape(&f.found)
    };
    report.findings.push(Finding {
        code: f.code().to_owned(),
        name: f.code.name.to_owned(),
        severity: severity.word().to_owned(),
        message: message(f.code, &f, options.lang),
        primary: Label {
            file: file.shown.clone(),
            record: None,
            span: [span.start, span.end].map(u64::from),
            start: text.position(span.start, options.units),
            end: text.position(span.end, options.units),
            path: Some(f.location.clone()).filter(|l| !l.is_empty()),
            field: None,
            message: None,
        },
        secondary: Vec::new(),
        help: Some(help(options.lang).to_owned()),
        fix: None,
        kind: None,
        standard: f.code.standard.to_owned(),
        fingerprint: None,
        fhir: Some(Box::new(FhirView {
            profiles: f.profiles,
            element: f.element,
            expected: f.expected,
            expression: f.expression,
            found: Some(found).filter(|t| !t.is_empty()),
            reasons: f.reasons,
        })),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use warifu_report::format::{Context, Format, render};
    use warifu_report::report::Totals;

    #[test]
    fn lines_are_told_by_name_or_content() {
        let count = |shown: &str, text: &str| {
            let file = Given {
                shown: shown.to_owned(),
                path: String::new(),
                bytes: text.as_bytes().to_vec(),
                within: None,
            };
            documents(&file).len()
        };
        assert_eq!(count("a.ndjson", "{\"a\":1}\n\n[]\n"), 2);
        assert_eq!(count("a.json", "{\"a\":1}\n{\"a\":2}\r\n"), 2);
        assert_eq!(count("", "\n {} \r\n {}"), 2);
        // One document, whatever its lines are.
        assert_eq!(count("a.json", "{\"a\": {}\n, \"b\": {}}\n"), 1);
        assert_eq!(count("a.json", "{\n{\n"), 1);
        assert_eq!(count("a.json", "{}\n"), 1);
    }

    fn checked(shown: &str, text: &str) -> FileReport {
        shown_as(shown, text, false)
    }

    fn shown_as(shown: &str, text: &str, show_values: bool) -> FileReport {
        use warifu_report::position::Units;
        let all: Vec<Code> = entries().collect();
        let selection = crate::CheckSection::default().selection_among(&all);
        let options = Options {
            selection: selection.expect("no wishes are fine"),
            lang: Lang::En,
            units: Units::Utf16,
            frames: None,
            show_values,
        };
        let file = Given {
            shown: shown.to_owned(),
            path: String::new(),
            bytes: text.as_bytes().to_vec(),
            within: None,
        };
        let asked = warifu_validate::Options::default();
        let core = warifu_validate::CoreOnly;
        report(&Validator::new(core, core, asked), &file, &options)
    }

    fn rendered(mut files: Vec<FileReport>, format: Format) -> String {
        let mut totals = Totals::default();
        for f in &files {
            totals.add(f);
        }
        let context = Context {
            version: "0.0.0".to_owned(),
            lang: Lang::En,
            units: warifu_report::position::Units::Utf16,
            lookup,
            baseline: false,
            timestamp: "1970-01-01T00:00:00".to_owned(),
            colour: false,
            statistics: false,
            rewritable: true,
            rule_pages: None,
        };
        let bytes = render(&mut files, &totals, format, context);
        String::from_utf8(bytes).expect("a format is text")
    }

    /// A fault of two files, each with an invariant that is broken.
    fn two() -> Vec<FileReport> {
        let patient =
            r#"{"resourceType": "Patient", "gender": "x", "contact": [{"gender": "male"}]}"#;
        vec![checked("a.json", patient), checked("b.json", patient)]
    }

    #[test]
    fn the_outcomes_of_several_files_are_a_valid_bundle() {
        let found = checked("o.json", &rendered(two(), Format::OperationOutcome)).findings;
        let errors: Vec<_> = found.iter().filter(|f| f.severity == "error").collect();
        assert!(errors.is_empty(), "{errors:?}");
    }

    #[test]
    fn a_finding_has_the_element_that_demands_it_and_the_expression() {
        let files = two();
        let [first, ..] = files.as_slice() else {
            unreachable!()
        };
        let details = |code: &str| {
            let found = first.findings.iter().find(|f| f.code == code);
            let fhir = found.and_then(|f| f.fhir.as_deref());
            fhir.map(|f| (f.element.as_str(), f.expression.as_str()))
        };
        assert_eq!(details("FHR101"), Some(("Patient.gender", "")));
        assert_eq!(
            details("pat-1"),
            Some((
                "Patient.contact",
                "name.exists() or telecom.exists() or address.exists() or organization.exists()"
            ))
        );
        assert_eq!(details("dom-6"), Some(("Patient", "text.`div`.exists()")));
        let missing = checked(
            "c.json",
            r#"{"resourceType": "Patient", "link": [{"type": "refer"}]}"#,
        );
        let required = missing.findings.iter().find(|f| f.code == "FHR004");
        let element = required
            .and_then(|f| f.fhir.as_deref())
            .map(|f| f.element.as_str());
        assert_eq!(element, Some("Patient.link.other"));
    }

    #[test]
    fn what_was_found_is_masked_unless_it_is_no_value_of_a_person() {
        let text = r#"{"resourceType": "Observation", "status": "finished", "code": {"text": "x"}, "meta": {"language": "日本"},
            "subject": {"reference": "Device/1", "type": "Thing", "display": 5},
            "effectiveDateTime": "令和8年", "valueQuantity": {"value": "七"}}"#;
        let of = |show_values| {
            let found = shown_as("a.json", text, show_values).findings;
            let of = |f: &Finding| Some((f.primary.path.clone()?, f.fhir.as_ref()?.found.clone()?));
            found.iter().filter_map(of).collect::<Vec<_>>()
        };
        let pairs = |all: &[(&str, &str)]| {
            all.iter()
                .map(|(path, found)| ((*path).to_owned(), (*found).to_owned()))
                .collect::<Vec<_>>()
        };
        let masked = of(false);
        for wanted in pairs(&[
            ("Observation.status", "finished"),
            ("Observation.effective.ofType(dateTime)", "漢漢9漢"),
            ("Observation.subject.display", "9"),
            ("Observation.value.ofType(Quantity).value", "漢"),
        ]) {
            assert!(masked.contains(&wanted), "{wanted:?} {masked:?}");
        }
        let shown = of(true);
        for wanted in pairs(&[
            ("Observation.status", "finished"),
            ("Observation.effective.ofType(dateTime)", "令和8年"),
        ]) {
            assert!(shown.contains(&wanted), "{wanted:?} {shown:?}");
        }
        // What is no code shows its shape, whatever the element.
        for (text, wanted) in [
            (r#"{"resourceType": "Pateint"}"#, "Pateint"),
            (r#"{"resourceType": "山田"}"#, "漢漢"),
            (r#"{"resourceType": "Patient 1234"}"#, "AAAAAAA 9999"),
        ] {
            let found = checked("a.json", text).findings;
            let first = found.first().and_then(|f| f.fhir.as_ref()?.found.clone());
            assert_eq!(first.as_deref(), Some(wanted));
        }
        let named = checked("a.json", r#"{"resourceType": "Pateint"}"#).findings;
        assert!(named.iter().any(|f| f.message.contains("Pateint")));
    }

    #[test]
    fn formats_tell_fhir_and_what_an_invariant_demands() {
        let junit = rendered(two(), Format::Junit);
        assert!(
            junit.contains("package=\"fhir\"") && !junit.contains("ssmix2"),
            "{junit}"
        );
        let markdown = rendered(two(), Format::Markdown);
        assert!(
            markdown.contains("| `pat-1` breaks the invariant pat-1 (wanted: SHALL"),
            "{markdown}"
        );
    }

    #[test]
    fn a_resource_of_data_alone_has_advice_and_no_warning() {
        let contained = r##"{"resourceType": "Patient", "active": true, "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}], "managingOrganization": {"reference": "#o"}}"##;
        let found = checked("a.json", contained).findings;
        let found: Vec<_> = found
            .iter()
            .map(|f| {
                (
                    f.code.as_str(),
                    f.severity.as_str(),
                    f.primary.path.as_deref(),
                )
            })
            .collect();
        assert_eq!(found, [("dom-6", "info", Some("Patient"))]);
    }
}
