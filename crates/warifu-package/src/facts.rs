//! Which parts of a definition are facts for validation; the rest is left out.

use warifu_json::{Kind, NodeId, ROOT, Tree};

/// What a node is, so that the table of its keys applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// Left out, with all inside.
    Drop,
    /// The resource.
    Resource,
    /// `snapshot`, `differential`.
    View,
    /// An element definition.
    Element,
    /// `binding` and `constraint` of an element.
    Rule,
    /// A concept of a code system; the code system's list of them.
    Concept,
    /// `package.json`.
    Manifest,
    /// Everything inside is kept.
    Keep,
}

/// Texts for people and the publisher's own matters.
const RESOURCE: &[&str] = &[
    "text",
    "meta",
    "language",
    "contact",
    "publisher",
    "description",
    "useContext",
    "jurisdiction",
    "purpose",
    "copyright",
    "date",
    "approvalDate",
    "lastReviewDate",
    "effectivePeriod",
    "keyword",
    "mapping",
];

/// Texts for people, mappings, and what has no bearing on whether an instance is valid.
const ELEMENT: &[&str] = &[
    "short",
    "definition",
    "comment",
    "requirements",
    "alias",
    "mapping",
    "example",
    "meaningWhenMissing",
    "orderMeaning",
    "isModifierReason",
    "isSummary",
    "label",
    "code",
    "condition",
];

const RULE: &[&str] = &["description", "requirements", "xpath"];

/// What `package.json` is read for.
const MANIFEST: &[&str] = &[
    "name",
    "version",
    "canonical",
    "title",
    "fhirVersions",
    "fhir-version-list",
    "dependencies",
];

/// The context of every node of a document, by node.
///
/// A differential is kept only where there is no snapshot.
pub(crate) fn contexts(tree: &Tree<'_>, root: Context) -> Vec<Context> {
    let has_snapshot = tree
        .member(ROOT, "snapshot")
        .and_then(|s| tree.member(s, "element"))
        .is_some_and(|list| tree.children(list).next().is_some());
    let mut all: Vec<Context> = Vec::new();
    for id in 0..tree.len() {
        let context = if id == ROOT {
            root
        } else {
            let parent = tree.parent(id);
            let above = usize::try_from(parent)
                .ok()
                .and_then(|p| all.get(p).copied())
                .unwrap_or(Context::Drop);
            if above == Context::Drop || above == Context::Keep || tree.kind(parent) == Kind::Array
            {
                above
            } else if parent == ROOT && has_snapshot && tree.key(id) == "differential" {
                Context::Drop
            } else {
                below(above, tree, id)
            }
        };
        all.push(context);
    }
    all
}

fn below(above: Context, tree: &Tree<'_>, id: NodeId) -> Context {
    let key = tree.key(id);
    let key = key.strip_prefix('_').unwrap_or(&key);
    let unless = |list: &[&str], then: Context| {
        if list.contains(&key) {
            Context::Drop
        } else {
            then
        }
    };
    match above {
        Context::Resource => match key {
            "snapshot" | "differential" => Context::View,
            // Concepts of a code system are kept in a table of their own.
            "concept" => Context::Concept,
            _ => unless(RESOURCE, Context::Keep),
        },
        Context::View if key == "element" => Context::Element,
        Context::Element => match key {
            "binding" | "constraint" => Context::Rule,
            _ => unless(ELEMENT, Context::Keep),
        },
        Context::Rule => unless(RULE, Context::Keep),
        Context::Concept => match key {
            "concept" => Context::Concept,
            "definition" => Context::Drop,
            _ => Context::Keep,
        },
        Context::Manifest => {
            if MANIFEST.contains(&key) {
                Context::Keep
            } else {
                Context::Drop
            }
        }
        Context::View | Context::Keep | Context::Drop => Context::Keep,
    }
}
