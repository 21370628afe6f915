//! Invariants of R4 core that nearly every element has, without FHIRPath. A test holds each against its
//! expression.

use warifu_fhirpath::{Doc, Item};
use warifu_json::{Kind, NodeId, Tree};

use crate::Ids;
use crate::bundle::References;

/// An invariant written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    /// The structure says it: no element is empty (`ele-1`), a narrative is checked as such (`txt-1`, `txt-2`).
    Structure,
    /// An extension has either extensions or a value.
    Ext1,
    /// No contained resource in a contained one.
    Dom2,
    /// Contained resources are referred to.
    Dom3,
    /// Contained resources have no version and time of their own.
    Dom4,
    /// Contained resources have no security label.
    Dom5,
    /// There is a narrative.
    Dom6,
    /// What `#…` points at is contained.
    Ref1,
    /// No fullUrl twice for one version.
    Bdl7,
    /// Entries have a request if, and only if, the Bundle is a history, transaction or batch.
    Bdl3,
    /// Entries have a response if, and only if, the Bundle is a history or an answer.
    Bdl4,
}

impl Native {
    pub(crate) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "ele-1" | "txt-1" | "txt-2" => Self::Structure,
            "ext-1" => Self::Ext1,
            "dom-2" => Self::Dom2,
            "dom-3" => Self::Dom3,
            "dom-4" => Self::Dom4,
            "dom-5" => Self::Dom5,
            "dom-6" => Self::Dom6,
            "ref-1" => Self::Ref1,
            "bdl-7" => Self::Bdl7,
            "bdl-3" => Self::Bdl3,
            "bdl-4" => Self::Bdl4,
            _ => return None,
        })
    }

    /// Whether it holds; `root` is `%rootResource`.
    pub(crate) fn holds(
        self,
        doc: Doc<'_>,
        references: &References,
        item: Item,
        root: NodeId,
        ids: &Ids,
    ) -> bool {
        let tree = doc.tree;
        let named = |node: NodeId, name: u16| {
            tree.kind(node) == Kind::Object
                && tree.children(node).any(|c| typed_name(doc, c) == name)
        };
        let contained = |node: NodeId| {
            let list = member(tree, node, ids.contained);
            list.into_iter().flat_map(|list| tree.children(list))
        };
        match self {
            Self::Structure => true,
            Self::Ext1 => named(item.node, ids.extension) != named(item.node, ids.value),
            Self::Dom2 => !contained(item.node).any(|c| named(c, ids.contained)),
            Self::Dom4 => !contained(item.node).any(|c| {
                member(tree, c, ids.meta).is_some_and(|meta| {
                    ["versionId", "lastUpdated"].iter().any(|key| {
                        tree.children(meta)
                            .any(|m| tree.key(m).trim_start_matches('_') == *key)
                    })
                })
            }),
            Self::Dom5 => !contained(item.node).any(|c| {
                member(tree, c, ids.meta)
                    .is_some_and(|meta| tree.member(meta, "security").is_some())
            }),
            Self::Dom6 => member(tree, item.node, ids.text)
                .is_some_and(|text| tree.member(text, "div").is_some()),
            Self::Dom3 => dom3(doc, item.node, ids),
            Self::Ref1 => {
                let Some(reference) = member(tree, item.node, ids.reference) else {
                    return true;
                };
                let text = tree.text(reference);
                match text.strip_prefix('#') {
                    None | Some("") => true,
                    Some(id) => references.contained(root, id).is_some(),
                }
            }
            Self::Bdl7 => bdl7(doc, item.node),
            Self::Bdl3 => {
                let of = ["batch", "transaction", "history"];
                entries(tree, item.node, ids, ids.request, &of)
            }
            Self::Bdl4 => {
                let of = ["batch-response", "transaction-response", "history"];
                entries(tree, item.node, ids, ids.response, &of)
            }
        }
    }
}

fn typed_name(doc: Doc<'_>, node: NodeId) -> u16 {
    usize::try_from(node)
        .ok()
        .and_then(|n| doc.typed.get(n))
        .map_or(0, |t| t.name)
}

/// Keys of an object that are looked through for one: no type of R4 has as many elements.
pub(crate) const KEYS: usize = 1_024;

/// The value (no twin) under the key with this number; names of choices are no keys.
pub(crate) fn member(tree: &Tree<'_>, node: NodeId, key: u16) -> Option<NodeId> {
    if tree.kind(node) != Kind::Object {
        return None;
    }
    tree.children(node)
        .take(KEYS)
        .find(|c| tree.name(*c) == key && !tree.is_twin(*c))
}

fn dom3(doc: Doc<'_>, node: NodeId, ids: &Ids) -> bool {
    let tree = doc.tree;
    let Some(list) = member(tree, node, ids.contained) else {
        return true;
    };
    // Every text of the resource that begins with `#`: references, canonicals, URIs.
    let mut named: Vec<&str> = Vec::new();
    let mut owned: Vec<String> = Vec::new();
    let mut id = node;
    while id < tree.after(node) {
        if tree.kind(id) == Kind::String {
            match tree.plain(id) {
                Some(text) => named.extend(text.strip_prefix('#')),
                None => owned.extend(tree.text(id).strip_prefix('#').map(str::to_owned)),
            }
        }
        id += 1;
    }
    named.extend(owned.iter().map(String::as_str));
    warifu_order::sort(&mut named);
    tree.children(list).all(|c| {
        let Some(id) = tree.member(c, "id") else {
            return true;
        };
        let id = tree.text(id);
        named.binary_search(&&*id).is_ok() || refers_to_container(doc, c)
    })
}

fn refers_to_container(doc: Doc<'_>, node: NodeId) -> bool {
    let tree = doc.tree;
    (node..tree.after(node)).any(|id| tree.is_text(id, "#"))
}

fn bdl7(doc: Doc<'_>, node: NodeId) -> bool {
    let tree = doc.tree;
    if tree
        .member(node, "type")
        .is_some_and(|t| tree.is_text(t, "history"))
    {
        return true;
    }
    let Some(entries) = tree.member(node, "entry") else {
        return true;
    };
    let mut keys: Vec<String> = tree
        .children(entries)
        .filter_map(|e| {
            let mut key = tree.text(tree.member(e, "fullUrl")?).into_owned();
            let version = tree
                .member(e, "resource")
                .and_then(|r| tree.member(r, "meta"))
                .and_then(|m| tree.member(m, "versionId"));
            if let Some(version) = version {
                key.push_str(&tree.text(version));
            }
            Some(key)
        })
        .collect();
    warifu_order::sort(&mut keys);
    keys.windows(2).all(|w| w.first() != w.last())
}

/// Whether every entry has what these types of Bundles demand of it, and none has it elsewhere.
fn entries(tree: &Tree<'_>, node: NodeId, ids: &Ids, key: u16, types: &[&str]) -> bool {
    let Some(list) = member(tree, node, ids.entry) else {
        return true;
    };
    let of = member(tree, node, ids.of_type);
    let wanted = of.is_some_and(|of| types.iter().any(|t| tree.is_text(of, t)));
    let has = |entry| member(tree, entry, key).is_some_and(|c| tree.kind(c) == Kind::Object);
    let mut all = tree
        .children(list)
        .filter(|e| tree.kind(*e) == Kind::Object);
    all.all(|entry| has(entry) == wanted)
}
