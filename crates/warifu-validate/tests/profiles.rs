//! What profiles demand, on definitions and documents of a few lines.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod common;

use common::terms_of;
use warifu_diag::Severity;
use warifu_validate::{Finding, Options, Validator};

const URL: &str = "http://example.org/fhir/StructureDefinition/Example";

/// A profile of `of`, from the elements of its differential.
fn profile(of: &str, url: &str, elements: &str) -> String {
    format!(
        r#"{{"resourceType": "StructureDefinition", "url": "{url}", "version": "1.0.0", "name": "Example",
        "status": "active", "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "{of}",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/{of}", "derivation": "constraint",
        "differential": {{"element": [{elements}]}}}}"#
    )
}

/// Findings of a document, but for the advice to have a narrative.
fn found(definitions: &[&str], missing: &[&str], document: &str) -> Vec<Finding> {
    let terms = terms_of(definitions, missing);
    let validator = Validator::new(&**terms.library(), &terms, Options::default());
    let found = validator.validate(document.as_bytes());
    let all = found.list.into_iter();
    all.filter(|f| f.code() != "dom-6").collect()
}

/// `code place` of each.
fn codes(findings: &[Finding]) -> Vec<String> {
    let all = findings.iter();
    all.map(|f| format!("{} {}", f.code(), f.location))
        .collect()
}

/// An Observation that claims the profile [`URL`].
fn observation(rest: &str) -> String {
    format!(
        r#"{{"resourceType": "Observation", "id": "o", "meta": {{"profile": ["{URL}"]}}, "status": "final",
        "code": {{"text": "体温"}}, {rest}}}"#
    )
}

/// A collection of resources, each with its fullUrl.
fn bundle(resources: &[&str]) -> String {
    let entries: Vec<String> = resources
        .iter()
        .map(|r| {
            let of = r.split('"').nth(3).unwrap();
            let id = r.split(r#""id": ""#).nth(1).unwrap();
            let id = id.split('"').next().unwrap();
            format!(r#"{{"fullUrl": "http://h.jp/fhir/{of}/{id}", "resource": {r}}}"#)
        })
        .collect();
    let entries = entries.join(", ");
    format!(r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{entries}]}}"#)
}

#[test]
fn a_reference_points_where_its_aggregation_says() {
    let patient = r#"{"resourceType": "Patient", "id": "p"}"#;
    let inside = r##""contained": [{"resourceType": "Patient", "id": "c"}], "subject": {"reference": "#c"}"##;
    let entry = r#""subject": {"reference": "Patient/p"}"#;
    let elsewhere = r#""subject": {"reference": "Patient/q"}"#;
    let nobody = r#""subject": {"identifier": {"value": "1"}}"#;
    let check = |modes: &str, rest: &str, good: bool| {
        let subject = format!(
            r#"{{"id": "Observation.subject", "path": "Observation.subject", "type": [{{"code": "Reference",
            "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient"], "aggregation": [{modes}]}}]}}"#
        );
        let definition = profile("Observation", URL, &subject);
        let document = bundle(&[patient, &observation(rest)]);
        let found = found(&[&definition], &[], &document);
        let wanted: &[&str] = if good {
            &[]
        } else {
            &["FHR416 Bundle.entry[1].resource.subject.reference"]
        };
        assert_eq!(codes(&found), wanted, "{modes}: {rest}");
    };
    for (modes, contained, bundled, referenced) in [
        (r#""contained""#, true, false, false),
        (r#""bundled""#, false, true, false),
        // What is an entry is referenced, too.
        (r#""referenced""#, false, true, true),
        (r#""contained", "bundled""#, true, true, false),
    ] {
        check(modes, inside, contained);
        check(modes, entry, bundled);
        check(modes, elsewhere, referenced);
        check(modes, nobody, true);
    }
}

#[test]
fn a_target_of_a_profile_that_is_not_at_hand_is_not_checked_unless_another_fits() {
    let own = "http://example.org/fhir/StructureDefinition/Born";
    let lost = "http://example.org/fhir/StructureDefinition/Lost";
    let born = profile(
        "Patient",
        own,
        r#"{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}"#,
    );
    let check = |targets: &str, missing: &[&str], patient: &str, wanted: &[&str]| {
        let subject = format!(
            r#"{{"id": "Observation.subject", "path": "Observation.subject",
            "type": [{{"code": "Reference", "targetProfile": [{targets}]}}]}}"#
        );
        let definition = profile("Observation", URL, &subject);
        let document = observation(r##""subject": {"reference": "#c"}, "contained": [PATIENT]"##)
            .replace("PATIENT", patient);
        let found = found(&[&definition, &born], missing, &document);
        assert_eq!(codes(&found), wanted, "{targets} {missing:?} {patient}");
    };
    let good = r#"{"resourceType": "Patient", "id": "c", "birthDate": "1968-03-03"}"#;
    let bad = r#"{"resourceType": "Patient", "id": "c", "gender": "female"}"#;
    let (one, other) = (format!(r#""{own}""#), format!(r#""{lost}""#));
    let at = "Observation.subject.reference";
    check(&one, &[], good, &[]);
    check(&one, &[], bad, &[&format!("FHR414 {at}")]);
    for both in [format!("{one}, {other}"), format!("{other}, {one}")] {
        check(&both, &[], good, &[]);
        check(&both, &[], bad, &[&format!("FHR301 {at}")]);
        check(&both, &["lost"], good, &[]);
        // The package that may have it is not at hand, and that is what is said.
        check(&both, &["lost"], bad, &[&format!("FHR302 {at}")]);
    }
}

#[test]
fn invariants_ask_for_slices() {
    let slicing = r#"{"id": "Observation.component", "path": "Observation.component",
        "slicing": {"discriminator": [{"type": "value", "path": "code.text"}], "rules": "open"}},
      {"id": "Observation.component:high", "path": "Observation.component", "sliceName": "high"},
      {"id": "Observation.component:high.code.text", "path": "Observation.component.code.text", "fixedString": "収縮期"},
      {"id": "Observation.component:low", "path": "Observation.component", "sliceName": "low"},
      {"id": "Observation.component:low.code.text", "path": "Observation.component.code.text", "fixedString": "拡張期"}"#;
    let component = |name: &str, value: u32| {
        format!(r#"{{"code": {{"text": "{name}"}}, "valueInteger": {value}}}"#)
    };
    let document = |high: u32, low: u32| {
        let parts = [
            component("脈拍", 300),
            component("収縮期", high),
            component("拡張期", low),
        ];
        observation(&format!(r#""component": [{}]"#, parts.join(", ")))
    };
    let check = |structure: &str, name: &str, document: &str, wanted: &[&str]| {
        let root = format!(
            r#"{{"id": "Observation", "path": "Observation", "constraint": [{{"key": "ex-1", "severity": "error",
            "human": "above", "expression": "component.slice('{structure}', 'high').value > component.slice('{structure}', '{name}').value"}}]}}, "#
        );
        let definition = profile("Observation", URL, &(root + slicing));
        let found = found(&[&definition], &[], document);
        assert_eq!(codes(&found), wanted, "{structure} {name} {document}");
    };
    for structure in ["", URL] {
        check(structure, "low", &document(120, 80), &[]);
        check(structure, "low", &document(80, 120), &["ex-1 Observation"]);
        // A slice that the profile does not have cannot be asked for.
        check(
            structure,
            "mean",
            &document(120, 80),
            &["FHR304 Observation"],
        );
    }
    let other = "http://example.org/fhir/StructureDefinition/Other";
    check(other, "low", &document(120, 80), &["FHR301 Observation"]);
}

#[test]
fn a_slice_of_a_profile_that_is_not_at_hand_is_not_checked_and_the_rest_is() {
    let lost = "http://example.org/fhir/StructureDefinition/Lost";
    let born = "http://example.org/fhir/StructureDefinition/Born";
    let check = |of_slice: &str, missing: &[&str], wanted: &[&str]| {
        let elements = format!(
            r#"{{"id": "Bundle.entry", "path": "Bundle.entry", "slicing":
              {{"discriminator": [{{"type": "profile", "path": "resource"}}], "rules": "closed"}}}},
            {{"id": "Bundle.entry:one", "path": "Bundle.entry", "sliceName": "one", "min": 1}},
            {{"id": "Bundle.entry:one.resource", "path": "Bundle.entry.resource",
              "type": [{{"code": "Patient", "profile": ["{of_slice}"]}}]}},
            {{"id": "Bundle.total", "path": "Bundle.total", "max": "0"}}"#
        );
        let definition = profile("Bundle", URL, &elements);
        let own = profile(
            "Patient",
            born,
            r#"{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}"#,
        );
        let document = bundle(&[r#"{"resourceType": "Patient", "id": "p"}"#]).replacen(
            '{',
            &format!(r#"{{"meta": {{"profile": ["{URL}"]}}, "total": 1, "#),
            1,
        );
        let document = document.replace(r#""type": "collection""#, r#""type": "searchset""#);
        let found = found(&[&definition, &own], missing, &document);
        assert_eq!(codes(&found), wanted, "{of_slice}");
    };
    check(
        born,
        &[],
        &[
            "FHR401 Bundle.entry",
            "FHR402 Bundle.total",
            "FHR406 Bundle.entry[0]",
        ],
    );
    for missing in [&[][..], &["lost"]] {
        check(
            lost,
            missing,
            &["FHR302 Bundle.meta.profile[0]", "FHR402 Bundle.total"],
        );
    }
}

#[test]
fn vital_signs_follow_their_profiles_by_code() {
    let document = |code: &str, category: &str, unit: &str| {
        format!(
            r#"{{"resourceType": "Observation", "status": "final", "category": [{{"coding": [{{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "{category}"}}]}}], "code": {{"coding": [{{"system": "http://loinc.org", "code": "{code}"}}]}}, "subject": {{"reference": "Patient/1"}}, "effectiveDateTime": "2026-04-01", "valueQuantity": {{"value": 72, "unit": "x", "system": "http://unitsofmeasure.org", "code": "{unit}"}}}}"#
        )
    };
    let errors = |document: &str| {
        let mut all = found(&[], &[], document);
        all.retain(|f| f.severity == Severity::Error);
        codes(&all)
    };
    assert!(errors(&document("8867-4", "vital-signs", "/min")).is_empty());
    assert_eq!(
        errors(&document("8867-4", "vital-signs", "{beats}/min")),
        ["FHR404 Observation.value.ofType(Quantity).code"]
    );
    assert_eq!(
        errors(&document("8867-4", "exam", "/min")),
        ["FHR401 Observation.category"]
    );
    // Another code, whatever the category.
    assert!(errors(&document("2339-0", "vital-signs", "mg/dL")).is_empty());

    let asked = Options {
        vital_signs: false,
        ..Options::default()
    };
    let terms = terms_of(&[], &[]);
    let found = Validator::new(&**terms.library(), &terms, asked)
        .validate(document("8867-4", "exam", "/min").as_bytes());
    assert!(found.list.iter().all(|f| f.severity != Severity::Error));
}

/// Codes with their severities and places.
fn told(findings: &[Finding]) -> Vec<String> {
    let all = findings.iter();
    all.map(|f| format!("{:?} {} {}", f.severity, f.code(), f.location))
        .collect()
}

#[test]
fn quantities_keep_within_bounds_whatever_the_unit() {
    const UCUM: &str = r#""system": "http://unitsofmeasure.org""#;
    let example = profile(
        "Observation",
        URL,
        &format!(
            r#"{{"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{{"code": "Quantity"}}],
            "minValueQuantity": {{"value": 1, {UCUM}, "code": "g"}}, "maxValueQuantity": {{"value": 2, {UCUM}, "code": "g"}}}}"#
        ),
    );
    let out = ["Error FHR412 Observation.value.ofType(Quantity)"];
    let open = ["Info FHR310 Observation.value.ofType(Quantity)"; 2];
    for (quantity, wanted) in [
        (format!(r#""value": 1.0, {UCUM}, "code": "g""#), &[][..]),
        (format!(r#""value": 0.5, {UCUM}, "code": "g""#), &out[..]),
        (format!(r#""value": 2.01, {UCUM}, "code": "g""#), &out[..]),
        (format!(r#""value": 2, {UCUM}, "code": "mg""#), &out[..]),
        (format!(r#""value": 1500, {UCUM}, "code": "mg""#), &[][..]),
        (format!(r#""value": 1500, {UCUM}, "code": "mL""#), &open[..]),
        (r#""value": 0.5, "unit": "g""#.to_owned(), &open[..]),
        (
            format!(r#""value": 0.5, "comparator": "<", {UCUM}, "code": "g""#),
            &open[..],
        ),
        (
            r#""extension": [{"url": "http://e.x/a", "valueString": "x"}]"#.to_owned(),
            &["Info FHR202 Observation.value.ofType(Quantity).extension[0].url"][..],
        ),
    ] {
        let document = observation(&format!(r#""valueQuantity": {{{quantity}}}"#));
        let found = found(&[&example], &[], &document);
        assert_eq!(told(&found), wanted, "{quantity}");
    }
    // Without a system the text of the unit is compared.
    let plain = profile(
        "Observation",
        URL,
        r#"{"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "Quantity"}],
        "minValueQuantity": {"value": 1, "unit": "錠"}}"#,
    );
    for (quantity, wanted) in [
        (r#""value": 0.5, "unit": "錠""#, &out[..]),
        (r#""value": 1, "unit": "錠""#, &[][..]),
        (r#""value": 0.5, "unit": "包""#, &open[..1]),
    ] {
        let document = observation(&format!(r#""valueQuantity": {{{quantity}}}"#));
        let found = found(&[&plain], &[], &document);
        assert_eq!(told(&found), wanted, "{quantity}");
    }
}

#[test]
fn a_rule_that_the_data_make_an_error_is_broken_and_one_that_nothing_can_keep_is_a_defect() {
    let with = |severity: &str, expression: &str| {
        profile(
            "Patient",
            URL,
            &format!(
                r#"{{"id": "Patient", "path": "Patient", "constraint": [{{"key": "ex-1", "severity": "{severity}",
                "human": "一つだけ", "expression": "{expression}"}}]}}"#
            ),
        )
    };
    let patient = |given: &str| {
        format!(
            r#"{{"resourceType": "Patient", "meta": {{"profile": ["{URL}"]}}, "name": [{{"given": [{given}]}}]}}"#
        )
    };
    let (one, two) = (patient(r#""花子""#), patient(r#""花子", "桜""#));
    for expression in [
        "name.given.single() = '花子'",
        "name.given.startsWith('花')",
        "name.given[0] = '花子' and name.given.length() = 2",
    ] {
        for (severity, wanted) in [
            ("error", "Error ex-1 Patient"),
            ("warning", "Warning ex-1 Patient"),
        ] {
            let example = with(severity, expression);
            assert_eq!(
                told(&found(&[&example], &[], &one)),
                [""; 0],
                "{expression}"
            );
            let broken = found(&[&example], &[], &two);
            assert_eq!(told(&broken), [wanted], "{expression}");
            let why = broken.first().map(|f| f.reasons.clone());
            assert_eq!(
                why,
                Some(vec!["several values where one is needed".to_owned()])
            );
        }
    }
    for expression in [
        "name.given.single(",
        "%nothing = 1",
        "name.given.as(string) = '桜'",
    ] {
        let found = found(&[&with("error", expression)], &[], &two);
        let found: Vec<_> = found.iter().map(|f| (f.severity, f.code())).collect();
        assert_eq!(found, [(Severity::Info, "FHR305")], "{expression}");
    }
}

const HL7: &str = "http://hl7.org/fhir/StructureDefinition";

#[test]
fn extensions_of_hl7_that_core_has_not_are_not_checked() {
    let core = profile(
        "Extension",
        "http://hl7.org/fhir/StructureDefinition/patient-nationality",
        r#"{"id": "Extension", "path": "Extension"}"#,
    );
    let of = |key: &str, url: &str| {
        format!(
            r#"{{"resourceType": "Patient", "{key}": [{{"url": "{url}", "valueString": "x"}}]}}"#
        )
    };
    for (document, wanted) in [
        (
            of("extension", &format!("{HL7}/individual-pronouns")),
            "Warning FHR202 Patient.extension[0].url",
        ),
        (
            of("modifierExtension", &format!("{HL7}/individual-pronouns")),
            "Error FHR205 Patient.modifierExtension[0].url",
        ),
        // A type is no extension.
        (
            of("extension", &format!("{HL7}/Patient")),
            "Error FHR202 Patient.extension[0].url",
        ),
        (
            of("extension", "http://h.jp/fhir/StructureDefinition/ward"),
            "Info FHR202 Patient.extension[0].url",
        ),
        // Not where HL7 defines it.
        (
            of("extension", &format!("{HL7}/operationoutcome-file")),
            "Warning FHR202 Patient.extension[0].url",
        ),
    ] {
        let found = found(&[&core], &[], &document);
        assert_eq!(told(&found), [wanted], "{document}");
    }
    let outcome = |name: &str, value: &str| {
        format!(
            r#"{{"resourceType": "OperationOutcome", "issue": [{{"severity": "error", "code": "value",
            "extension": [{{"url": "{HL7}/operationoutcome-{name}", {value}}}]}}]}}"#
        )
    };
    for (name, value) in [
        ("file", r#""valueString": "a.json""#),
        ("issue-col", r#""valueInteger": 1"#),
        ("issue-line", r#""valueInteger": 1"#),
        ("message-id", r#""valueString": "FHR101""#),
    ] {
        let document = outcome(name, value);
        assert_eq!(told(&found(&[&core], &[], &document)), [""; 0], "{name}");
    }
    let wrong = outcome("issue-line", r#""valueString": "1""#);
    assert_eq!(
        told(&found(&[&core], &[], &wrong)),
        ["Warning FHR202 OperationOutcome.issue[0].extension[0].url"]
    );
}

#[test]
fn a_reference_within_a_document_names_the_version_that_is_there() {
    let document = |version: &str| {
        format!(
            r#"{{"resourceType": "Bundle", "type": "document", "timestamp": "2026-04-01T09:00:00Z",
            "identifier": {{"system": "http://h.jp/d", "value": "1"}}, "entry": [
            {{"fullUrl": "http://h.jp/fhir/Composition/c", "resource": {{"resourceType": "Composition", "id": "c",
              "status": "final", "type": {{"text": "要約"}}, "date": "2026", "title": "要約",
              "author": [{{"reference": "Patient/p/_history/{version}"}}], "subject": {{"reference": "Patient/p"}}}}}},
            {{"fullUrl": "http://h.jp/fhir/Patient/p", "resource": {{"resourceType": "Patient", "id": "p",
              "meta": {{"versionId": "2"}}}}}}]}}"#
        )
    };
    assert_eq!(codes(&found(&[], &[], &document("2"))), [""; 0]);
    let other = codes(&found(&[], &[], &document("3")));
    let place = "Bundle.entry[0].resource.author[0].reference";
    assert!(other.contains(&format!("FHR214 {place}")), "{other:?}");
}

#[test]
fn a_profile_of_another_version_than_the_one_named_is_not_checked() {
    let elements = r#"{"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}"#;
    let definition = profile("Patient", URL, elements);
    let terms = terms_of(&[&definition], &[]);
    let patient = |claim: &str| {
        format!(
            r#"{{"resourceType": "Patient", "meta": {{"profile": ["{claim}"]}}, "active": true}}"#
        )
    };
    let core = "http://hl7.org/fhir/StructureDefinition/Patient";
    let kept: &[&str] = &["FHR401 Patient.birthDate"];
    let left: &[&str] = &["FHR306 Patient.meta.profile[0]"];
    for (claim, wanted) in [
        (URL.to_owned(), kept),
        (format!("{URL}|"), kept),
        (format!("{URL}|1"), kept),
        (format!("{URL}|1.0.0"), kept),
        (format!("{URL}|1.0.1"), left),
        (format!("{URL}|9"), left),
        (core.to_owned(), &[]),
        (format!("{core}|4.0"), &[]),
        (format!("{core}|3.0.2"), left),
    ] {
        let found = found(&[&definition], &[], &patient(&claim));
        assert_eq!(codes(&found), wanted, "{claim}");
        // Neither is one that the caller imposes.
        let options = Options {
            profiles: vec![claim.clone()],
            ..Options::default()
        };
        let validator = Validator::new(&**terms.library(), &terms, options);
        assert_eq!(validator.knows(&claim), wanted != left, "{claim}");
        let found = validator.validate(br#"{"resourceType": "Patient", "active": true}"#);
        let not_checked = found.list.iter().any(|f| f.code() == "FHR306");
        assert_eq!(not_checked, wanted == left, "{claim}");
        assert_eq!(found.has_errors(), wanted == kept, "{claim}");
    }
    // An invariant that asks for it is not checked either.
    let asking = elements.replace(
        r#""min": 1"#,
        &format!(
            r#""constraint": [{{"key": "c-1", "severity": "error", "human": "x", "expression": "conformsTo('{URL}|9')"}}]"#
        ),
    );
    let other = "http://example.org/fhir/StructureDefinition/Asking";
    let asking = profile(
        "Patient",
        other,
        &asking.replace("Patient.birthDate", "Patient"),
    );
    let found = found(&[&definition, &asking], &[], &patient(other));
    assert_eq!(codes(&found), ["FHR301 Patient"]);
    assert_eq!(found[0].argument, format!("c-1: {URL}|9"));
}

#[test]
fn a_profile_that_is_derived_from_itself_is_a_defect_and_one_without_its_base_lacks_a_package() {
    let based = |on: &str| {
        let definition = profile("Patient", URL, r#"{"id": "Patient", "path": "Patient"}"#);
        definition.replace("http://hl7.org/fhir/StructureDefinition/Patient", on)
    };
    let patient = format!(
        r#"{{"resourceType": "Patient", "meta": {{"profile": ["{URL}"]}}, "active": true}}"#
    );
    let lost = "http://example.org/fhir/StructureDefinition/Lost";
    for (on, code, argument) in [
        (
            URL,
            "FHR305",
            format!("{URL}: derived from itself, or too deeply"),
        ),
        (lost, "FHR302", lost.to_owned()),
    ] {
        let found = found(&[&based(on)], &[], &patient);
        assert_eq!(codes(&found), [format!("{code} Patient.meta.profile[0]")]);
        assert_eq!(found[0].argument, argument);
    }
}
