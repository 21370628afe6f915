//! References and Bundles: FHIR R4 §2.3.0.4, §2.36.4.

use std::collections::BTreeMap;

use warifu_diag::catalogue::fhr;
use warifu_fhirpath::{Doc, Item};
use warifu_json::{Kind, NONE, NodeId, ROOT};
use warifu_r4::{ElementId, TypeId};

use crate::Validator;
use crate::native::member;
use crate::primitive::{Form, is_id};
use crate::run::{Raw, Run};

/// What references can point at within the Bundles of a document.
#[derive(Debug, Default)]
pub(crate) struct References {
    bundles: BTreeMap<NodeId, Entries>,
    /// Contained resources, by what contains them and their id.
    contained: BTreeMap<NodeId, BTreeMap<String, NodeId>>,
}

/// Entries of one Bundle.
#[derive(Debug, Default)]
struct Entries {
    by_url: BTreeMap<String, NodeId>,
    /// `Type/id`
    by_id: BTreeMap<String, NodeId>,
    is_document: bool,
}

impl References {
    pub(crate) fn new(v: &Validator<'_>, doc: Doc<'_>) -> Self {
        let tree = doc.tree;
        let ids = &v.ids;
        let mut own = Self::default();
        let text = |node: NodeId, key: u16| {
            let id = member(tree, node, key)?;
            (tree.kind(id) == Kind::String).then(|| tree.text(id))
        };
        let mut next: Vec<NodeId> = vec![ROOT];
        while let Some(bundle) = next.pop() {
            if text(bundle, ids.resource_type).as_deref() != Some("Bundle") {
                continue;
            }
            let mut entries = Entries {
                is_document: text(bundle, ids.of_type).as_deref() == Some("document"),
                ..Entries::default()
            };
            let list = member(tree, bundle, ids.entry);
            for entry in list.into_iter().flat_map(|list| tree.children(list)) {
                let Some(resource) = member(tree, entry, ids.resource) else {
                    continue;
                };
                next.push(resource);
                if let Some(url) = text(entry, ids.full_url) {
                    entries.by_url.entry(url.into_owned()).or_insert(resource);
                }
                if let (Some(of), Some(id)) =
                    (text(resource, ids.resource_type), text(resource, ids.id))
                {
                    entries
                        .by_id
                        .entry(format!("{of}/{id}"))
                        .or_insert(resource);
                }
            }
            own.bundles.insert(bundle, entries);
        }
        for list in 0..tree.len() {
            if tree.name(list) != ids.contained || tree.kind(list) != Kind::Array {
                continue;
            }
            let known = own.contained.entry(tree.parent(list)).or_default();
            for resource in tree.children(list) {
                if let Some(id) = text(resource, ids.id) {
                    known.entry(id.into_owned()).or_insert(resource);
                }
            }
        }
        own
    }

    /// The resource with this id that a resource contains.
    pub(crate) fn contained(&self, root: NodeId, id: &str) -> Option<NodeId> {
        self.contained.get(&root)?.get(id).copied()
    }

    /// Whether a node lies in a Bundle, and in one that is a document.
    pub(crate) fn within(&self, doc: Doc<'_>, node: NodeId) -> (bool, bool) {
        let mut within = (false, false);
        let mut at = node;
        while at != NONE && !self.bundles.is_empty() {
            if let Some(entries) = self.bundle(doc, at) {
                within = (true, within.1 || entries.is_document);
            }
            at = doc.tree.parent(at);
        }
        within
    }

    fn bundle(&self, doc: Doc<'_>, node: NodeId) -> Option<&Entries> {
        // Most nodes on a way up are no Bundles: that is cheap to tell.
        let is_object = doc.tree.kind(node) == Kind::Object;
        is_object.then(|| self.bundles.get(&node)).flatten()
    }

    /// The resource that a reference in `from` points at.
    pub(crate) fn resolve(
        &self,
        v: &Validator<'_>,
        doc: Doc<'_>,
        reference: &str,
        from: NodeId,
    ) -> Option<NodeId> {
        let tree = doc.tree;
        if let Some(id) = reference.strip_prefix('#') {
            // The resource that contains: the outermost before an entry or the root.
            let mut at = from;
            while at != NONE {
                let parent = tree.parent(at);
                let is_contained = parent != NONE && tree.name(parent) == v.ids.contained;
                if v.is_resource_node(doc, at) && !is_contained {
                    return if id.is_empty() {
                        Some(at)
                    } else {
                        self.contained(at, id)
                    };
                }
                at = parent;
            }
            return None;
        }
        if self.bundles.is_empty() {
            return None;
        }
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        let full = if plain.contains(':') {
            None
        } else {
            entry_base(v, doc, from).map(|base| format!("{base}{plain}"))
        };
        // The innermost Bundle that knows it.
        let mut at = from;
        while at != NONE {
            if let Some(entries) = self.bundle(doc, at) {
                let found = entries
                    .by_url
                    .get(plain)
                    .or_else(|| entries.by_url.get(full.as_deref()?))
                    .or_else(|| entries.by_id.get(plain));
                if let Some(found) = found {
                    return Some(*found);
                }
            }
            at = tree.parent(at);
        }
        None
    }
}

/// `http://host/base/` of the entry that holds a node.
fn entry_base(v: &Validator<'_>, doc: Doc<'_>, node: NodeId) -> Option<String> {
    let tree = doc.tree;
    let mut at = node;
    while at != NONE {
        if let Some(url) = member(tree, at, v.ids.full_url) {
            let url = tree.text(url);
            let (rest, _) = url.rsplit_once('/')?;
            let (base, _) = rest.rsplit_once('/')?;
            return url.starts_with("http").then(|| format!("{base}/"));
        }
        at = tree.parent(at);
    }
    None
}

/// Type that a literal reference names: `Patient/1`, `http://h/Patient/1/_history/2`.
pub(crate) fn named_type<'r>(run: &Run<'_>, reference: &'r str) -> Option<(&'r str, TypeId)> {
    let plain = reference.split("/_history/").next().unwrap_or(reference);
    let (rest, id) = plain.rsplit_once('/')?;
    let name = rest.rsplit('/').next()?;
    if !is_id(id) || reference.starts_with('#') {
        return None;
    }
    let of = run.v.core.type_named(name)?;
    run.is_resource(of).then_some((name, of))
}

impl Run<'_> {
    /// Checks a `Reference` against R4 core.
    pub(crate) fn reference(&mut self, item: Item, element: ElementId) {
        let tree = self.doc.tree;
        let Some(node) = member(tree, item.node, self.v.ids.reference) else {
            return;
        };
        if tree.kind(node) != Kind::String {
            return;
        }
        let text = tree.text(node);
        let (target, resolved) = self.target(item);
        if let Some(of) = target {
            let mut targets = self
                .v
                .core
                .element(element)
                .types()
                .filter(|t| t.of() == self.v.ids.type_reference)
                .flat_map(warifu_r4::TypeRef::targets)
                .peekable();
            if targets.peek().is_some() {
                let names: Vec<TypeId> = targets.collect();
                let core = self.v.core;
                if !names.iter().any(|t| core.is_a(of, *t)) {
                    let names: Vec<_> = names.iter().map(|t| core.type_(*t).name()).collect();
                    self.report(
                        Raw::new(&fhr::FHR212, node)
                            .with(core.type_(of).name())
                            .expects(names.join(" | ")),
                    );
                }
            }
        }
        if resolved.is_some() || text.starts_with('#') {
            return;
        }
        let references = &self.scope.references;
        let is_urn = text.starts_with("urn:uuid:") || text.starts_with("urn:oid:");
        let (in_bundle, in_document) = references.within(self.doc, item.node);
        if is_urn && in_bundle {
            self.report(Raw::new(&fhr::FHR211, node).with("urn"));
        } else if !is_urn && !text.contains(':') {
            if named_type(self, &text).is_none() && !text.contains('?') {
                self.report(Raw::new(&fhr::FHR213, node));
            } else if in_document {
                self.report(Raw::new(&fhr::FHR214, node));
            }
        }
    }

    /// Type of what a reference points at, and the resource where it is in the document.
    pub(crate) fn target(&self, item: Item) -> (Option<TypeId>, Option<NodeId>) {
        let tree = self.doc.tree;
        let ids = &self.v.ids;
        let text = member(tree, item.node, ids.reference)
            .map(|n| tree.text(n))
            .unwrap_or_default();
        if !text.is_empty() {
            let references = &self.scope.references;
            if let Some(node) = references.resolve(self.v, self.doc, &text, item.node) {
                return (Some(self.typed(node).of), Some(node));
            }
            if let Some((_, of)) = named_type(self, &text) {
                return (Some(of), None);
            }
        }
        let named = member(tree, item.node, ids.of_type).map(|n| tree.text(n));
        let of = named.and_then(|t| self.v.core.type_named(&t));
        (of.filter(|of| self.is_resource(*of)), None)
    }

    /// Rules of a Bundle that no invariant says.
    pub(crate) fn bundle(&mut self, node: NodeId) {
        let tree = self.doc.tree;
        let of = tree.member(node, "type").map(|t| tree.text(t));
        let of = of.as_deref().unwrap_or_default().to_owned();
        let Some(entries) = tree.member(node, "entry") else {
            return;
        };
        for entry in tree.children(entries) {
            let resource = tree.member(entry, "resource");
            let Some(url) = tree.member(entry, "fullUrl") else {
                // New resources of a transaction have none; answers may have none.
                if resource.is_some() && matches!(&*of, "document" | "message" | "collection") {
                    self.report(Raw::new(&fhr::FHR222, entry));
                }
                continue;
            };
            if tree.kind(url) != Kind::String {
                continue;
            }
            let text = tree.text(url);
            let is_urn = text.starts_with("urn:");
            let why = if is_urn {
                let uuid = text.starts_with("urn:uuid:") || text.starts_with("urn:oid:");
                (!uuid || !Form::Uri.holds(&text)).then_some("urn")
            } else if !text.contains("://") {
                Some("absolute")
            } else {
                let id = resource.and_then(|r| tree.member(r, "id"));
                match (named_type(self, &text), resource) {
                    (Some((name, _)), Some(resource)) => {
                        let own = tree
                            .member(resource, "resourceType")
                            .is_some_and(|t| tree.is_text(t, name));
                        let ends =
                            id.is_none_or(|id| text.rsplit('/').next() == Some(&*tree.text(id)));
                        (!own || !ends).then_some("Type/id")
                    }
                    _ => None,
                }
            };
            if let Some(why) = why {
                self.report(Raw::new(&fhr::FHR221, url).with(why));
            }
        }
    }
}
