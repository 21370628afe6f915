//! JSON to model.

use warifu_json::{Kind, NodeId, Tree};

use crate::model::{
    Binding, Constraint, Context, Derivation, Discriminator, DiscriminatorKind, ElementDefinition,
    Rules, Slicing, Strength, StructureDefinition, StructureKind, TypeRef, Value,
};
use crate::{PackageId, split_canonical};

type Text = Box<str>;

fn text(tree: &Tree<'_>, node: NodeId, key: &str) -> Text {
    option(tree, node, key).unwrap_or_default()
}

fn option(tree: &Tree<'_>, node: NodeId, key: &str) -> Option<Text> {
    let id = tree.member(node, key)?;
    (tree.kind(id) == Kind::String).then(|| tree.text(id).as_ref().into())
}

fn flag(tree: &Tree<'_>, node: NodeId, key: &str) -> bool {
    tree.member(node, key)
        .is_some_and(|id| tree.kind(id) == Kind::True)
}

fn items<'t>(
    tree: &'t Tree<'_>,
    node: NodeId,
    key: &str,
) -> impl Iterator<Item = NodeId> + use<'t> {
    let list = tree.member(node, key);
    let list = list.filter(|id| tree.kind(*id) == Kind::Array);
    list.into_iter().flat_map(|id| tree.children(id))
}

fn texts(tree: &Tree<'_>, node: NodeId, key: &str) -> Vec<Text> {
    items(tree, node, key)
        .map(|id| tree.text(id).as_ref().into())
        .collect()
}

fn number(tree: &Tree<'_>, node: NodeId, key: &str) -> Option<u32> {
    tree.text(tree.member(node, key)?).parse().ok()
}

/// Reads a `StructureDefinition`: the snapshot, or the differential where there is none.
///
/// `None` if the node is no `StructureDefinition` with a URL and a type.
pub fn read_structure(
    tree: &Tree<'_>,
    node: NodeId,
    package: PackageId,
) -> Option<StructureDefinition> {
    if &*text(tree, node, "resourceType") != "StructureDefinition" {
        return None;
    }
    let url = text(tree, node, "url");
    // Logical models name their type by a URL.
    let of = text(tree, node, "type");
    if url.is_empty() || of.is_empty() {
        return None;
    }
    let of = of
        .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
        .map_or_else(|| of.clone(), Into::into);
    let elements = |view: &str| -> Option<Vec<ElementDefinition>> {
        let view = tree.member(node, view)?;
        let list: Vec<_> = items(tree, view, "element")
            .map(|id| element(tree, id))
            .collect();
        (!list.is_empty()).then_some(list)
    };
    let snapshot = elements("snapshot");
    let has_snapshot = snapshot.is_some();
    let mut elements = snapshot
        .or_else(|| elements("differential"))
        .unwrap_or_default();
    name_elements(&mut elements);
    Some(StructureDefinition {
        version: text(tree, node, "version"),
        name: text(tree, node, "name"),
        package,
        kind: match &*text(tree, node, "kind") {
            "primitive-type" => StructureKind::Primitive,
            "complex-type" => StructureKind::Complex,
            "logical" => StructureKind::Logical,
            _ => StructureKind::Resource,
        },
        is_abstract: flag(tree, node, "abstract"),
        base: text(tree, node, "baseDefinition"),
        derivation: match &*text(tree, node, "derivation") {
            "specialization" => Derivation::Specialization,
            _ => Derivation::Constraint,
        },
        contexts: items(tree, node, "context")
            .map(|id| Context {
                kind: text(tree, id, "type"),
                expression: text(tree, id, "expression"),
            })
            .collect(),
        context_invariants: texts(tree, node, "contextInvariant"),
        has_snapshot,
        elements,
        of,
        url: split_canonical(&url).0.into(),
    })
}

/// Gives elements without id the one that path and slice names make.
fn name_elements(elements: &mut [ElementDefinition]) {
    // Ids of the elements above, by depth.
    let mut above: Vec<Text> = Vec::new();
    for element in elements {
        let depth = element.path.split('.').count();
        above.truncate(depth.saturating_sub(1));
        if element.id.is_empty() {
            let last = element.path.rsplit('.').next().unwrap_or_default();
            let mut id = above.last().map_or_else(String::new, |a| format!("{a}."));
            id.push_str(last);
            if let Some(slice) = &element.slice_name {
                id.push(':');
                id.push_str(slice);
            }
            element.id = id.into();
        }
        while above.len() + 1 < depth {
            above.push(element.id.clone());
        }
        above.push(element.id.clone());
    }
}

fn element(tree: &Tree<'_>, node: NodeId) -> ElementDefinition {
    let mut read = ElementDefinition {
        id: text(tree, node, "id"),
        path: text(tree, node, "path"),
        slice_name: option(tree, node, "sliceName"),
        slicing: tree.member(node, "slicing").map(|id| slicing(tree, id)),
        min: number(tree, node, "min"),
        max: option(tree, node, "max").map(|max| max.parse().ok()),
        content_reference: option(tree, node, "contentReference"),
        max_length: number(tree, node, "maxLength"),
        must_support: flag(tree, node, "mustSupport"),
        is_modifier: flag(tree, node, "isModifier"),
        types: items(tree, node, "type")
            .map(|id| type_ref(tree, id))
            .collect(),
        constraints: items(tree, node, "constraint")
            .map(|id| Constraint {
                key: text(tree, id, "key"),
                is_error: &*text(tree, id, "severity") != "warning",
                human: text(tree, id, "human"),
                expression: text(tree, id, "expression"),
                source: text(tree, id, "source"),
            })
            .collect(),
        binding: tree
            .member(node, "binding")
            .and_then(|id| binding(tree, id)),
        ..ElementDefinition::default()
    };
    for child in tree.children(node) {
        if tree.is_twin(child) {
            continue;
        }
        let key = tree.key(child);
        for (prefix, slot) in [
            ("fixed", &mut read.fixed),
            ("pattern", &mut read.pattern),
            ("minValue", &mut read.min_value),
            ("maxValue", &mut read.max_value),
        ] {
            let Some(of) = key.strip_prefix(prefix).filter(|of| !of.is_empty()) else {
                continue;
            };
            *slot = Some(Value {
                of: type_name(of),
                json: bytes(tree, child).into(),
            });
        }
    }
    read
}

fn bytes<'s>(tree: &Tree<'s>, node: NodeId) -> &'s [u8] {
    let span = tree.span(node);
    let at = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
    tree.source()
        .get(at(span.start)..at(span.end))
        .unwrap_or_default()
}

/// `CodeableConcept` stays, `String` becomes `string`.
fn type_name(of: &str) -> Text {
    const PRIMITIVES: &[&str] = &[
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
    ];
    let small = PRIMITIVES.iter().find(|name| {
        name.get(1..) == of.get(1..)
            && name
                .chars()
                .zip(of.chars())
                .all(|(a, b)| a == b || a.to_ascii_uppercase() == b)
    });
    small.copied().unwrap_or(of).into()
}

fn type_ref(tree: &Tree<'_>, node: NodeId) -> TypeRef {
    TypeRef {
        code: text(tree, node, "code"),
        profiles: texts(tree, node, "profile"),
        targets: texts(tree, node, "targetProfile"),
        aggregation: texts(tree, node, "aggregation"),
    }
}

fn binding(tree: &Tree<'_>, node: NodeId) -> Option<Binding> {
    let strength = match &*text(tree, node, "strength") {
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        "example" => Strength::Example,
        _ => return None,
    };
    let max = items(tree, node, "extension").find(|id| {
        tree.member(*id, "url").is_some_and(|url| {
            tree.is_text(
                url,
                "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet",
            )
        })
    });
    Some(Binding {
        strength,
        value_set: text(tree, node, "valueSet"),
        max_value_set: max
            .and_then(|id| option(tree, id, "valueCanonical").or(option(tree, id, "valueUri"))),
    })
}

fn slicing(tree: &Tree<'_>, node: NodeId) -> Slicing {
    Slicing {
        discriminators: items(tree, node, "discriminator")
            .map(|id| Discriminator {
                kind: match &*text(tree, id, "type") {
                    "exists" => DiscriminatorKind::Exists,
                    "pattern" => DiscriminatorKind::Pattern,
                    "type" => DiscriminatorKind::Type,
                    "profile" => DiscriminatorKind::Profile,
                    _ => DiscriminatorKind::Value,
                },
                path: text(tree, id, "path"),
            })
            .collect(),
        rules: match &*text(tree, node, "rules") {
            "closed" => Rules::Closed,
            "openAtEnd" => Rules::OpenAtEnd,
            _ => Rules::Open,
        },
        ordered: flag(tree, node, "ordered"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use warifu_json::{Limits, ROOT, parse};

    #[test]
    fn elements_without_id_are_named_by_path_and_slice() {
        let mut elements: Vec<ElementDefinition> = [
            ("Patient", None),
            ("Patient.identifier", None),
            ("Patient.identifier", Some("number")),
            ("Patient.identifier.system", None),
            ("Patient.name", None),
        ]
        .into_iter()
        .map(|(path, slice): (&str, Option<&str>)| ElementDefinition {
            path: path.into(),
            slice_name: slice.map(Into::into),
            ..ElementDefinition::default()
        })
        .collect();
        name_elements(&mut elements);
        let ids: Vec<_> = elements.iter().map(|e| &*e.id).collect();
        assert_eq!(
            ids,
            [
                "Patient",
                "Patient.identifier",
                "Patient.identifier:number",
                "Patient.identifier:number.system",
                "Patient.name"
            ]
        );
    }

    #[test]
    fn values_are_kept_as_json_with_their_type() {
        let source = br#"{"resourceType": "StructureDefinition", "url": "u|2", "type": "Extension",
            "differential": {"element": [{"path": "Extension.url", "fixedUri": "u",
            "max": "*"}, {"path": "Extension.value[x]", "max": "1",
            "patternCodeableConcept": {"text": "x"}}]}}"#;
        let tree = parse(source, Limits::FHIR, &()).tree;
        let read = read_structure(&tree, ROOT, PackageId(3)).unwrap();
        assert!(!read.has_snapshot);
        assert_eq!(&*read.url, "u");
        let [url, value] = &*read.elements else {
            unreachable!("two elements")
        };
        assert_eq!(url.fixed.as_ref().map(|v| &*v.of), Some("uri"));
        assert_eq!(url.max, Some(None));
        assert_eq!(value.max, Some(Some(1)));
        let pattern = value.pattern.as_ref().unwrap();
        assert_eq!(
            (&*pattern.of, &*pattern.json),
            ("CodeableConcept", br#"{"text": "x"}"#.as_slice())
        );
    }
}
