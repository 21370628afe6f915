//! Rules that R4 states in words and no invariant says: URIs, identifiers, units, ids, contained
//! resources, vital signs.

use std::collections::{BTreeMap, BTreeSet};

use warifu_definitions::{Code as Coded, CodeAnswer};
use warifu_diag::catalogue::fhr;
use warifu_fhirpath::Item;
use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::TypeId;

use crate::Known;
use crate::native::member;
use crate::plan::CORE_PROFILES;
use crate::primitive::is_absolute;
use crate::run::{Cx, Raw, Run};

pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
const LOINC: &str = "http://loinc.org";
/// System of identifiers that are URIs.
const URIS: &str = "urn:ietf:rfc:3986";

/// Observations with these codes follow these profiles, FHIR R4 Observation §10.1.4 (vital signs).
const VITAL_SIGNS: &[(&str, &str)] = &[
    ("2708-6", "oxygensat"),
    ("29463-7", "bodyweight"),
    ("39156-5", "bmi"),
    ("8302-2", "bodyheight"),
    ("8310-5", "bodytemp"),
    ("85353-1", "vitalspanel"),
    ("85354-9", "bp"),
    ("8867-4", "heartrate"),
    ("9279-1", "resprate"),
    ("9843-4", "headcircum"),
];

/// Extensions whose published context is too narrow: R4's own resources use them elsewhere. The element
/// that they may also stand in; empty: any.
const WIDER: &[(&str, &str)] = &[
    ("capabilitystatement-expectation", ""),
    ("capabilitystatement-prohibited", ""),
    ("regex", "ElementDefinition.type"),
    ("structuredefinition-fhir-type", "ElementDefinition.type"),
    ("structuredefinition-normative-version", ""),
];

/// Where else an extension may stand than its definition says.
pub(crate) fn wider_context(url: &str) -> Option<&'static str> {
    let name = url.strip_prefix(CORE_PROFILES)?;
    WIDER.iter().find(|(n, _)| *n == name).map(|(_, at)| *at)
}

/// Invariants that R4 published with an expression that says something else than their text.
const REPAIRS: &[(&str, &str)] = &[
    // "more than one": R4 has `> 2`.
    (
        "que-12",
        "enableWhen.count() >= 2 implies enableBehavior.exists()",
    ),
    // R4 has the type of FHIRPath, which no FHIR element is.
    (
        "que-7",
        "operator = 'exists' implies (answer is FHIR.boolean)",
    ),
    // Without a probability there is nothing to compare.
    (
        "ras-2",
        "probability.empty() or (probability is decimal implies (probability as decimal) <= 100)",
    ),
];

/// The expression that an invariant of core is meant to have.
pub(crate) fn repaired<'e>(key: &str, published: &'e str) -> &'e str {
    REPAIRS
        .iter()
        .find(|(k, _)| *k == key)
        .map_or(published, |(_, e)| *e)
}

impl Run<'_> {
    /// What R4 says of the values of some data types.
    pub(crate) fn of_type(&mut self, item: Item) {
        if crate::IS_SMALL {
            return;
        }
        let ids = &self.v.ids;
        if item.of == ids.type_identifier {
            self.identifier(item.node);
        } else if item.of == ids.type_quantity || self.v.core.is_a(item.of, ids.type_quantity) {
            self.unit(item.node);
        }
    }

    fn identifier(&mut self, node: NodeId) {
        let ids = &self.v.ids;
        let tree = self.doc.tree;
        let Some(at) = member(tree, node, ids.system) else {
            return;
        };
        let system = tree.text(at);
        if system.is_empty() {
            return;
        }
        if !is_absolute(&system) {
            self.report(Raw::new(&fhr::FHR015, at).with("Identifier.system"));
        } else if system == URIS
            && let Some(value) = member(tree, node, ids.value)
            && tree.kind(value) == Kind::String
            && !is_absolute(&tree.text(value))
        {
            self.report(Raw::new(&fhr::FHR015, value).with("Identifier.value"));
        }
    }

    /// Codes of units are those of UCUM, where the system says so.
    fn unit(&mut self, node: NodeId) {
        let ids = &self.v.ids;
        let tree = self.doc.tree;
        let (Some(system), Some(code)) =
            (member(tree, node, ids.system), member(tree, node, ids.code))
        else {
            return;
        };
        if !tree.is_text(system, UCUM) {
            return;
        }
        let text = tree.text(code);
        let answer = self.v.code(Coded {
            system: Some(UCUM),
            version: None,
            code: &text,
            display: None,
        });
        if answer == CodeAnswer::UnknownCode {
            let found = self.show(code);
            self.report(Raw::new(&fhr::FHR104, code).with(UCUM).finds(found));
        }
    }

    /// Rules of resources of some types.
    pub(crate) fn of_resource(&mut self, item: Item, of: TypeId, cx: Cx) {
        if crate::IS_SMALL {
            return;
        }
        let v = self.v;
        let tree = self.doc.tree;
        if v.options.vital_signs && of == v.ids.type_observation {
            self.vital_sign(item, cx);
        }
        // The canonical URL of a definition.
        if let Some(url) = member(tree, item.node, v.ids.url)
            && tree.kind(url) == Kind::String
            && of != v.ids.type_device
            && !tree.text(url).is_empty()
            && !is_absolute(&tree.text(url))
        {
            let name = v.core.type_(of).name();
            self.report(Raw::new(&fhr::FHR015, url).with(format!("{name}.url")));
        }
        self.contained_ids(item.node);
        #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
        if of == v.ids.type_response {
            self.answers(item.node, cx);
        } else {
            self.definition(item.node, of);
        }
    }

    fn vital_sign(&mut self, item: Item, cx: Cx) {
        let v = self.v;
        let tree = self.doc.tree;
        let list =
            member(tree, item.node, v.ids.code).and_then(|code| member(tree, code, v.ids.coding));
        let mut asked = BTreeSet::new();
        for coding in list.into_iter().flat_map(|list| tree.children(list)) {
            let (Some(system), Some(code)) = (
                member(tree, coding, v.ids.system),
                member(tree, coding, v.ids.code),
            ) else {
                continue;
            };
            if !tree.is_text(system, LOINC) {
                continue;
            }
            let code = tree.text(code);
            let Ok(n) = VITAL_SIGNS.binary_search_by(|(c, _)| (*c).cmp(&*code)) else {
                continue;
            };
            if let Some((_, name)) = VITAL_SIGNS.get(n)
                && asked.insert(*name)
                && let Known::Profile(plan) = v.known(&format!("{CORE_PROFILES}{name}"), None)
            {
                self.conform(item, plan, cx);
            }
        }
    }

    /// Contained resources have an id, each its own (FHIR R4 §2.28.3).
    fn contained_ids(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let ids = self.v.ids;
        let Some(list) = member(tree, node, ids.contained) else {
            return;
        };
        let mut seen = BTreeSet::new();
        // The first and the last place of each text that may refer to one.
        let mut named: BTreeMap<_, (NodeId, NodeId)> = BTreeMap::new();
        for n in node..tree.after(node) {
            if tree.kind(n) == Kind::String {
                let text = tree.text(n);
                if text.starts_with('#') {
                    named.entry(text).or_insert((n, n)).1 = n;
                }
            }
        }
        for resource in tree.children(list) {
            if tree.kind(resource) != Kind::Object {
                continue;
            }
            match member(tree, resource, ids.id) {
                None => self.report(
                    Raw::new(&fhr::FHR004, resource)
                        .with("contained.id")
                        .missing(ids.id),
                ),
                Some(id) => {
                    let text = tree.text(id);
                    let places = named.get(format!("#{text}").as_str());
                    let own = resource..tree.after(resource);
                    let inside = |n: &NodeId| own.contains(n);
                    if places.is_some_and(|(first, last)| inside(first) && inside(last)) {
                        let mut raw = Raw::new(&fhr::FHR014, node)
                            .with("dom-3")
                            .expects("SHALL be referred to from elsewhere in the resource");
                        raw.key = Some("dom-3");
                        self.report(raw);
                    }
                    if !seen.insert(text) {
                        self.report(Raw::new(&fhr::FHR016, id).with(""));
                    }
                }
            }
        }
    }

    /// Ids of elements are each other than those before, within a resource (FHIR R4 §2.24.0.2).
    pub(crate) fn element_ids(&mut self, from: usize) {
        if crate::IS_SMALL {
            return;
        }
        let tree = self.doc.tree;
        let mut seen = BTreeSet::new();
        let mut twice = Vec::new();
        for node in self.element_ids.drain(from.min(self.element_ids.len())..) {
            if !seen.insert(tree.text(node)) {
                twice.push(node);
            }
        }
        for node in twice {
            self.report(Raw::new(&fhr::FHR016, node));
        }
    }

    /// An element that has neither a value nor an extension (`ele-1`), or is written as `null`.
    pub(crate) fn hollow(&mut self, given: Item, is_list: bool) {
        if crate::IS_SMALL {
            return;
        }
        let tree = self.doc.tree;
        let is_null = |n: NodeId| n != NONE && tree.kind(n) == Kind::Null;
        if !is_list {
            for node in [given.node, given.twin] {
                if is_null(node) {
                    self.report(Raw::new(&fhr::FHR008, node).with("null"));
                }
            }
        }
        let no_value = given.node == NONE || is_null(given.node);
        if no_value
            && given.twin != NONE
            && tree.kind(given.twin) == Kind::Object
            && tree.children(given.twin).next().is_some()
            && member(tree, given.twin, self.v.ids.extension).is_none()
        {
            let mut raw = Raw::new(&fhr::FHR014, given.twin)
                .with("ele-1")
                .expects("All FHIR elements must have a @value or children");
            raw.key = Some("ele-1");
            self.report(raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoreOnly, Options, Validator};

    /// Errors of a document: code and place.
    fn errors(source: &str) -> Vec<String> {
        let found =
            Validator::new(CoreOnly, CoreOnly, Options::default()).validate(source.as_bytes());
        found
            .list
            .iter()
            .filter(|f| f.severity == warifu_diag::Severity::Error)
            .map(|f| format!("{} {}", f.code(), f.location))
            .collect()
    }

    fn check(source: &str, wanted: &[&str]) {
        assert_eq!(errors(source), wanted, "{source}");
    }

    #[test]
    fn tables_are_sorted() {
        assert!(VITAL_SIGNS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn strings_have_a_megabyte_at_most() {
        let patient = |count: usize| {
            let text = "試".repeat(count);
            format!(r#"{{"resourceType": "Patient", "name": [{{"text": "{text}"}}]}}"#)
        };
        assert_eq!(errors(&patient(1024 * 1024)), [""; 0]);
        assert_eq!(
            errors(&patient(1024 * 1024 + 1)),
            ["FHR007 Patient.name[0].text"]
        );
    }

    #[test]
    fn repairs_are_of_invariants_that_core_has() {
        let core = warifu_r4::Core::builtin();
        for (key, expression) in REPAIRS {
            let published = (0..core.invariant_count())
                .map(|n| core.invariant(n))
                .find(|i| i.key() == *key);
            assert!(
                published.is_some_and(|i| i.expression() != *expression),
                "{key}"
            );
        }
    }

    #[test]
    fn systems_are_absolute() {
        let patient = |system: &str, value: &str| {
            format!(
                r#"{{"resourceType": "Patient", "identifier": [{{"system": "{system}", "value": "{value}"}}]}}"#
            )
        };
        let bad = ["FHR015 Patient.identifier[0].system"];
        for (system, wanted) in [
            ("http://h.jp/id", &[][..]),
            ("urn:oid:1.2.392.100495.20.3.51", &[][..]),
            ("foo", &bad[..]),
            ("www.h.jp/id", &bad[..]),
            ("oid:1.2.392.1", &bad[..]),
            ("1.2.392.1", &bad[..]),
            ("URN:UUID:c757873d-ec9a-4326-a141-556f43239520", &bad[..]),
            (
                "urn:uuid:C757873D-ec9a-4326-a141-556f43239520",
                &["FHR007 Patient.identifier[0].system"][..],
            ),
        ] {
            check(&patient(system, "1"), wanted);
        }
        check(
            &patient(URIS, "foo"),
            &["FHR015 Patient.identifier[0].value"],
        );
        check(&patient(URIS, "urn:oid:1.2.392.1.1"), &[]);
        check(
            r#"{"resourceType": "Patient", "meta": {"profile": ["foo"]}}"#,
            &["FHR007 Patient.meta.profile[0]"],
        );
        check(
            r#"{"resourceType": "CodeSystem", "url": "foo", "status": "draft", "content": "complete"}"#,
            &["FHR015 CodeSystem.url"],
        );
    }

    #[test]
    fn ids_are_each_their_own() {
        check(
            r#"{"resourceType": "Patient", "id": "a", "name": [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}]}"#,
            &[],
        );
        check(
            r#"{"resourceType": "Patient", "name": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}"#,
            &["FHR016 Patient.name[1].id"],
        );
        check(
            r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "name": "x"},
            {"resourceType": "Organization", "id": "o", "name": "y"}], "managingOrganization": {"reference": "#o"}}"##,
            &["FHR016 Patient.contained[1].id"],
        );
        check(
            r##"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "id": "o", "name": "x", "partOf": {"reference": "#o"}}]}"##,
            &["dom-3 Patient"],
        );
        check(
            r#"{"resourceType": "Patient", "contained": [{"resourceType": "Organization", "name": "x"}]}"#,
            &["FHR004 Patient.contained[0].id"],
        );
    }

    #[test]
    fn an_element_has_a_value_or_an_extension() {
        check(
            r#"{"resourceType": "Patient", "_birthDate": {"id": "x"}}"#,
            &["ele-1 Patient.birthDate"],
        );
        check(
            r#"{"resourceType": "Patient", "birthDate": "2000", "_birthDate": {"id": "x"}}"#,
            &[],
        );
        check(
            r#"{"resourceType": "Patient", "birthDate": "2000", "_birthDate": null}"#,
            &["FHR008 Patient.birthDate"],
        );
    }

    #[test]
    fn the_hash_of_an_attachment_is_that_of_its_data() {
        let of = |hash: &str| {
            format!(
                r#"{{"resourceType": "Patient", "photo": [{{"contentType": "text/plain", "data": "YWJj", "hash": "{hash}"}}]}}"#
            )
        };
        check(&of("qZk+NkcGgWq6PiVxeFDCbJzQ2J0="), &[]);
        check(
            &of("AZk+NkcGgWq6PiVxeFDCbJzQ2J0="),
            &["FHR012 Patient.photo[0].hash"],
        );
    }

    #[test]
    fn languages_are_those_of_bcp_47() {
        let of = |code: &str| {
            let source = format!(r#"{{"resourceType": "Patient", "language": "{code}"}}"#);
            let library = std::sync::Arc::new(warifu_package::Library::new([]));
            let terms = warifu_terminology::Terms::new(library);
            let v = Validator::new(CoreOnly, &terms, Options::default());
            v.validate(source.as_bytes()).has_errors()
        };
        assert_eq!(
            ["ja", "ja-JP", "japanese!", "ja_JP"].map(of),
            [false, false, true, true]
        );
    }

    #[test]
    fn quantities_of_core_profiles_have_no_comparator() {
        check(
            r#"{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueRange": {"low": {"value": 1, "comparator": "<"}}}"#,
            &["sqty-1 Observation.value.ofType(Range).low"],
        );
        check(
            r#"{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 1, "comparator": "<"}}"#,
            &[],
        );
    }

    #[test]
    fn an_invariant_that_gives_nothing_is_broken() {
        let of = |more: &str| {
            format!(
                r#"{{"resourceType": "Questionnaire", "status": "draft", "item": [{{"linkId": "0", "type": "string"}}, {{"linkId": "1", "type": "string", {more}}}]}}"#
            )
        };
        check(
            &of(r#""initial": [{"valueString": "a"}, {"valueString": "b"}]"#),
            &["que-13 Questionnaire.item[1]"],
        );
        let when = r#"{"question": "0", "operator": "exists", "answerBoolean": true}"#;
        check(&of(&format!(r#""enableWhen": [{when}]"#)), &[]);
        check(
            &of(&format!(r#""enableWhen": [{when}, {when}]"#)),
            &["que-12 Questionnaire.item[1]"],
        );
    }
}
