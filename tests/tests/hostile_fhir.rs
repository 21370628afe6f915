//! Documents made to hurt the FHIR validation where rules weigh resources against each other. Nothing is timed:
//! a rule that looks at each pair of things does not finish here.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use warifu_validate::{CoreOnly, Options, Validator};

/// Codes that are found in a document.
fn found(source: &str) -> Vec<&'static str> {
    let validator = Validator::new(CoreOnly, CoreOnly, Options::default());
    let all = validator.validate(source.as_bytes());
    let mut codes: Vec<_> = all.list.iter().map(|f| f.code.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// A piece for each number, with commas between.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(",")
}

const MANY: usize = 30_000;

#[test]
fn contained_resources_that_name_themselves() {
    let contained = many(MANY, |n| {
        format!(
            r##"{{"resourceType":"Observation","id":"c{n}","status":"final","code":{{"text":"x"}},"hasMember":[{{"reference":"#c{n}"}}]}}"##
        )
    });
    let codes = found(&format!(
        r#"{{"resourceType":"Patient","contained":[{contained}]}}"#
    ));
    assert!(codes.contains(&"FHR014"), "{codes:?}");
}

#[test]
fn responses_to_one_long_questionnaire() {
    let items = many(MANY, |n| format!(r#"{{"linkId":"{n}","type":"string"}}"#));
    let responses = many(3_000, |n| {
        format!(
            r#"{{"fullUrl":"http://h.jp/QuestionnaireResponse/{n}","resource":{{"resourceType":"QuestionnaireResponse","id":"{n}","status":"completed","questionnaire":"http://h.jp/q","item":[{{"linkId":"none"}}]}}}}"#
        )
    });
    let codes = found(&format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"http://h.jp/Questionnaire/q","resource":{{"resourceType":"Questionnaire","id":"q","url":"http://h.jp/q","status":"draft","item":[{items}]}}}},{responses}]}}"#
    ));
    assert!(codes.contains(&"FHR231"), "{codes:?}");
}

#[test]
fn answers_among_options_without_end() {
    for of in ["choice", "string"] {
        let options = many(MANY, |n| format!(r#"{{"valueString":"o{n}"}}"#));
        let answers = many(MANY, |n| format!(r#"{{"valueString":"a{n}"}}"#));
        let codes = found(&format!(
            r##"{{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[{{"resourceType":"Questionnaire","id":"q","url":"http://h.jp/q","status":"draft","item":[{{"linkId":"1","type":"{of}","repeats":true,"answerOption":[{options}]}}]}}],"item":[{{"linkId":"1","answer":[{answers}]}}]}}"##
        ));
        assert_eq!(of == "choice", codes.contains(&"FHR231"), "{codes:?}");
    }
}

#[test]
fn answers_that_each_ask_for_more() {
    let inner = many(MANY, |n| format!(r#"{{"linkId":"i{n}","type":"string"}}"#));
    let answers = many(MANY, |n| format!(r#"{{"valueString":"a{n}"}}"#));
    found(&format!(
        r##"{{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[{{"resourceType":"Questionnaire","id":"q","url":"http://h.jp/q","status":"draft","item":[{{"linkId":"1","type":"string","repeats":true,"item":[{inner}]}}]}}],"item":[{{"linkId":"1","answer":[{answers}]}}]}}"##
    ));
}

#[test]
fn anchors_that_lead_nowhere() {
    let sections = many(MANY, |n| {
        format!(
            r##"{{"title":"t","text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"#x{n}\">x</a></div>"}}}}"##
        )
    });
    let codes = found(&format!(
        r#"{{"resourceType":"Composition","status":"final","type":{{"text":"x"}},"date":"2026","author":[{{"display":"x"}}],"title":"t","section":[{sections}]}}"#
    ));
    assert!(codes.contains(&"FHR011"), "{codes:?}");
}
