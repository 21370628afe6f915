//! Facts of R4 4.0.1 that the table must give.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use warifu_json::{Limits, parse};
use warifu_r4::{Content, Core, Strength, TypeId, TypeKind, annotate};

fn of(name: &str) -> TypeId {
    Core::builtin().type_named(name).unwrap()
}

fn property(of: TypeId, key: &str) -> Option<(String, &'static str)> {
    let core = Core::builtin();
    let p = core.property(of, core.name(key))?;
    Some((core.element(p.element).path(), core.type_(p.of).name()))
}

#[test]
fn types_and_their_bases() {
    let core = Core::builtin();
    let count = |kind| {
        core.types()
            .filter(|t| t.kind() == kind && !t.is_profile())
            .count()
    };
    assert_eq!(count(TypeKind::Primitive), 20);
    // 4.0.1: 146 resources, DomainResource and Resource.
    assert_eq!(count(TypeKind::Resource), 148);
    assert!(core.is_a(of("Patient"), of("Resource")));
    assert!(core.is_a(of("code"), of("string")));
    assert!(core.is_a(of("Age"), of("Quantity")));
    assert!(core.is_a(of("Patient.contact"), of("Element")));
    assert!(!core.is_a(of("string"), of("code")));
    assert!(core.type_(of("SimpleQuantity")).is_profile());
    assert_eq!(core.type_(of("id")).regex(), Some(r"[A-Za-z0-9\-\.]{1,64}"));
    assert_eq!(core.type_named("SubscriptionStatus"), None);
    for t in core.types() {
        assert_eq!(core.type_named(t.name()), Some(t.id()));
    }
}

#[test]
fn an_element_has_one_value_or_any_number() {
    // So more than one value is an array where none may be: no finding of its own.
    for t in Core::builtin().types() {
        for e in t.elements() {
            assert!(e.max().is_none_or(|max| max <= 1), "{}", e.path());
        }
    }
}

#[test]
fn keys_have_elements_and_types() {
    let is = |of: &str, key: &str, path: &str, t: &'static str| {
        assert_eq!(property(self::of(of), key), Some((path.to_owned(), t)));
    };
    is("Patient", "birthDate", "Patient.birthDate", "date");
    is("Patient", "id", "Patient.id", "id");
    is("HumanName", "id", "HumanName.id", "string");
    is("Extension", "url", "Extension.url", "uri");
    is("Patient", "contact", "Patient.contact", "Patient.contact");
    is(
        "Observation",
        "valueQuantity",
        "Observation.value[x]",
        "Quantity",
    );
    is("Bundle.entry", "link", "Bundle.entry.link", "Bundle.link");
    is(
        "Composition.section",
        "section",
        "Composition.section.section",
        "Composition.section",
    );
    is("string", "extension", "string.extension", "Extension");
    // Additions of the package and of R5 are left out.
    for (of, key) in [
        ("Meta", "project"),
        ("Meta", "author"),
        ("Binary", "url"),
        ("ResearchStudy", "label"),
        ("ResearchStudy", "progressStatus"),
        ("EvidenceVariable.characteristic", "linkId"),
    ] {
        assert_eq!(property(self::of(of), key), None, "{of}.{key}");
    }
    assert_eq!(
        Core::builtin().type_named("DeviceDefinition.classification"),
        None
    );
    is(
        "EvidenceVariable.characteristic",
        "definitionCanonical",
        "EvidenceVariable.characteristic.definition[x]",
        "canonical",
    );
}

#[test]
fn cardinality_references_bindings_and_invariants() {
    let core = Core::builtin();
    let find = |of: &str, name: &str| {
        core.type_(self::of(of))
            .elements()
            .find(|e| e.name() == name)
            .unwrap()
    };
    let status = find("Observation", "status");
    assert_eq!((status.min(), status.max()), (1, Some(1)));
    assert!(status.is_modifier() && status.is_summary() && !status.is_list());
    assert_eq!(status.strength(), Some(Strength::Required));
    let set = status.value_set().unwrap();
    assert_eq!(set.url(), "http://hl7.org/fhir/ValueSet/observation-status");
    assert_eq!(set.contains(None, "final"), Some(true));
    assert_eq!(set.contains(None, "finale"), Some(false));
    let name = find("Patient", "name");
    assert_eq!((name.min(), name.max()), (0, None));
    let practitioner = find("Patient", "generalPractitioner")
        .types()
        .next()
        .unwrap();
    let targets: Vec<_> = practitioner
        .targets()
        .map(|t| core.type_(t).name())
        .collect();
    assert_eq!(
        targets,
        ["Organization", "Practitioner", "PractitionerRole"]
    );
    let low = find("Observation.referenceRange", "low")
        .types()
        .next()
        .unwrap();
    assert_eq!(
        low.profile(),
        Some("http://hl7.org/fhir/StructureDefinition/SimpleQuantity")
    );
    let keys: Vec<_> = core
        .type_(of("Patient"))
        .invariants()
        .map(warifu_r4::Invariant::key)
        .collect();
    assert_eq!(keys, ["dom-2", "dom-3", "dom-4", "dom-5", "dom-6"]);
    let contact: Vec<_> = find("Patient", "contact")
        .invariants()
        .map(warifu_r4::Invariant::key)
        .collect();
    assert_eq!(contact, ["ele-1", "pat-1"]);
}

#[test]
fn codes() {
    let core = Core::builtin();
    let set = |url: &str| {
        core.value_set(&format!("http://hl7.org/fhir/ValueSet/{url}"))
            .unwrap()
    };
    let v3 = |name: &str| format!("http://terminology.hl7.org/CodeSystem/v3-{name}");
    let acts = core.code_system(&v3("ActCode")).unwrap();
    assert_eq!(acts.content(), Content::Complete);
    let amb = acts.find("AMB").unwrap();
    assert_eq!(
        acts.parent(amb).map(|p| acts.code(p)),
        Some("_ActEncounterCode")
    );
    let class = core
        .value_set("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode")
        .unwrap();
    assert_eq!(class.contains(Some(&v3("ActCode")), "AMB"), Some(true));
    assert_eq!(class.contains(Some(&v3("ActCode")), "NUTOBS"), Some(false));
    assert_eq!(
        class.contains(Some("http://example.org"), "AMB"),
        Some(false)
    );
    // Content that is not shipped is never guessed.
    assert_eq!(set("mimetypes").contains(None, "text/plain"), None);
    assert_eq!(
        set("languages").contains(Some("urn:ietf:bcp:47"), "ja"),
        Some(true)
    );
    for system in core.code_systems() {
        for n in 0..system.len() {
            assert_eq!(system.find(system.code(n)), Some(n), "{}", system.url());
        }
    }
    for set in core.value_sets() {
        for part in set.parts() {
            for code in part.list() {
                assert_eq!(set.contains(Some(part.system.url()), code), Some(true));
            }
        }
    }
}

#[test]
fn nodes_get_their_elements() {
    let core = Core::builtin();
    let text = br#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation",
        "_status":{"id":"x"},"valueQuantity":{"value":1},"component":[{"valueString":"a"}],"odd":{"id":"y"}}}]}"#;
    let tree = parse(text, Limits::FHIR, core).tree;
    let typed = annotate(core, &tree, None);
    let all: Vec<String> = (0..tree.len())
        .filter(|id| !tree.key(*id).is_empty())
        .map(|id| {
            let t = typed[usize::try_from(id).unwrap()];
            format!(
                "{} {} {}",
                tree.key(id),
                core.name_text(t.name),
                core.type_(t.of).name()
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            "resourceType resourceType ",
            "entry entry Bundle.entry",
            "resource resource Observation",
            "resourceType resourceType ",
            "_status status code",
            "id id string",
            "valueQuantity value Quantity",
            "value value decimal",
            "component component Observation.component",
            "valueString value string",
            "odd  ",
            "id id ",
        ]
    );
}
