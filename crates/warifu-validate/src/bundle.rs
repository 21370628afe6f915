//! References and Bundles: FHIR R4 §2.3.0.4, §2.36.4.

use std::collections::{BTreeMap, BTreeSet};

use warifu_diag::Severity;
use warifu_diag::catalogue::fhr;
use warifu_fhirpath::{Doc, Item};
use warifu_json::{Kind, NONE, NodeId, ROOT, Tree};
use warifu_r4::{ElementId, TypeId};

use crate::Validator;
use crate::native::member;
use crate::plan::CORE_PROFILES;
use crate::primitive::is_id;
use crate::run::{Raw, Run};

/// What references can point at within the Bundles of a document.
#[derive(Debug, Default)]
pub(crate) struct References {
    bundles: BTreeMap<NodeId, Entries>,
    /// Contained resources, by what contains them and their id.
    contained: BTreeMap<NodeId, BTreeMap<String, NodeId>>,
    /// Questionnaires of the Bundles by URL.
    #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
    questionnaires: BTreeMap<String, NodeId>,
}

/// Entries of one Bundle.
#[derive(Debug, Default)]
struct Entries {
    by_url: BTreeMap<String, NodeId>,
    /// `Type/id`
    by_id: BTreeMap<String, NodeId>,
    is_document: bool,
    is_message: bool,
}

/// The Bundles around a node.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Within {
    pub(crate) document: bool,
    pub(crate) message: bool,
    pub(crate) any: bool,
}

/// Links that only lists of many pages have.
const PAGES: &[&str] = &["first", "last", "next", "prev", "previous"];

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
            let of = text(bundle, ids.of_type);
            let mut entries = Entries {
                is_document: of.as_deref() == Some("document"),
                is_message: of.as_deref() == Some("message"),
                ..Entries::default()
            };
            let list = member(tree, bundle, ids.entry);
            for entry in list.into_iter().flat_map(|list| tree.children(list)) {
                let Some(resource) = member(tree, entry, ids.resource) else {
                    continue;
                };
                next.push(resource);
                #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
                if text(resource, ids.resource_type).as_deref() == Some("Questionnaire")
                    && let Some(url) = text(resource, ids.url)
                {
                    own.questionnaires
                        .entry(url.into_owned())
                        .or_insert(resource);
                }
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

    /// The questionnaire of this URL in a Bundle of the document.
    #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
    pub(crate) fn questionnaire(&self, url: &str) -> Option<NodeId> {
        self.questionnaires.get(url).copied()
    }

    /// What kinds of Bundles a node lies in.
    pub(crate) fn within(&self, doc: Doc<'_>, node: NodeId) -> Within {
        let mut within = Within::default();
        let mut at = node;
        while at != NONE && !self.bundles.is_empty() {
            if let Some(entries) = self.bundle(doc, at) {
                within.any = true;
                within.document |= entries.is_document;
                within.message |= entries.is_message;
            }
            at = doc.tree.parent(at);
        }
        within
    }

    /// Whether a relative reference is the type and id of an entry only, not what its own entry's
    /// `fullUrl` makes of it (FHIR R4 §2.36.4.1).
    fn is_only_by_id(
        &self,
        v: &Validator<'_>,
        doc: Doc<'_>,
        reference: &str,
        from: NodeId,
    ) -> bool {
        if crate::IS_SMALL {
            return false;
        }
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        if reference.starts_with('#') || plain.contains(':') {
            return false;
        }
        let full = entry_base(v, doc, from).map(|base| format!("{base}{plain}"));
        let mut at = from;
        while at != NONE {
            if let Some(entries) = self.bundle(doc, at) {
                let by_url = full
                    .as_ref()
                    .is_some_and(|f| entries.by_url.contains_key(f));
                return !by_url && entries.by_id.contains_key(plain);
            }
            at = doc.tree.parent(at);
        }
        false
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
                    let other = || is_other_version(tree, *found, reference);
                    let is_it = crate::IS_SMALL || !entries.is_document || !other();
                    return is_it.then_some(*found);
                }
            }
            at = tree.parent(at);
        }
        None
    }
}

/// Whether a reference names another version than a resource has (FHIR R4 §2.36.4.1).
fn is_other_version(tree: &Tree<'_>, resource: NodeId, reference: &str) -> bool {
    let Some((_, asked)) = reference.split_once("/_history/") else {
        return false;
    };
    let own = tree.member(resource, "meta");
    let own = own.and_then(|meta| tree.member(meta, "versionId"));
    own.is_some_and(|own| !tree.is_text(own, asked))
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
        self.named(item, node);
        if text.starts_with('#') {
            return;
        }
        let references = &self.scope.references;
        let within = references.within(self.doc, item.node);
        if resolved.is_some() {
            if within.document && references.is_only_by_id(self.v, self.doc, &text, item.node) {
                let mut raw = Raw::new(&fhr::FHR214, node);
                raw.severity = Severity::Error;
                self.report(raw);
            }
            return;
        }
        let is_urn = text.starts_with("urn:uuid:") || text.starts_with("urn:oid:");
        let is_relative = !text.contains(':');
        // A document has what its Composition names (FHIR R4 §3.3.1).
        let of = self.typed(self.around(item.node).resource).of;
        if within.document && of == self.v.ids.type_composition && !is_urn {
            let mut raw = Raw::new(&fhr::FHR214, node);
            raw.severity = Severity::Error;
            self.report(raw);
        } else if is_urn && within.any {
            let mut raw = Raw::new(&fhr::FHR211, node).with("urn");
            if !within.document && !within.message {
                // It may be known to the receiver.
                raw.severity = Severity::Warning;
            }
            self.report(raw);
        } else if text.contains(char::is_whitespace) {
            // No URI has one, RFC 3986 §2.
            let mut raw = Raw::new(&fhr::FHR213, node);
            raw.severity = Severity::Error;
            self.report(raw);
        } else if is_relative && named_type(self, &text).is_none() && !text.contains('?') {
            self.report(Raw::new(&fhr::FHR213, node));
        } else if is_relative && within.document {
            self.report(Raw::new(&fhr::FHR214, node));
        }
    }

    /// `Reference.type` is the type of what `reference` (`node`) names.
    fn named(&mut self, item: Item, node: NodeId) {
        if crate::IS_SMALL {
            return;
        }
        let tree = self.doc.tree;
        let v = self.v;
        let Some(at) = member(tree, item.node, v.ids.of_type) else {
            return;
        };
        let text = tree.text(at);
        let name = text.strip_prefix(CORE_PROFILES).unwrap_or(&text);
        // The binding is extensible: what is no type of R4 is a code outside the set.
        let Some(of) = v.core.type_named(name).filter(|of| self.is_resource(*of)) else {
            return;
        };
        let literal = tree.text(node);
        if let Some((_, named)) = named_type(self, &literal)
            && !v.core.is_a(named, of)
        {
            let wanted = v.core.type_(of).name();
            let named = v.core.type_(named).name();
            self.report(Raw::new(&fhr::FHR212, at).with(named).expects(wanted));
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
        self.links(node, &of);
        let entries = tree.member(node, "entry");
        if entries.is_none() && matches!(&*of, "document" | "message") {
            self.report(Raw::new(&fhr::FHR223, node).with("entry"));
        }
        let Some(entries) = entries else {
            return;
        };
        // New resources have no place yet.
        let is_request = matches!(&*of, "transaction" | "batch");
        let is_answer = matches!(&*of, "transaction-response" | "batch-response");
        for entry in tree.children(entries) {
            let resource = tree.member(entry, "resource");
            if of == "searchset" && self.is_outcome_as_match(entry, resource) {
                self.report(Raw::new(&fhr::FHR223, entry).with("search.mode"));
            }
            let Some(url) = tree.member(entry, "fullUrl") else {
                if resource.is_some() && !is_request && !is_answer {
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
                (!uuid).then_some("urn")
            } else if !text.contains("://") {
                Some("absolute")
            } else {
                let id = resource.and_then(|r| tree.member(r, "id"));
                match (named_type(self, &text), resource) {
                    (Some((name, _)), Some(resource)) => {
                        let own = tree
                            .member(resource, "resourceType")
                            .is_some_and(|t| tree.is_text(t, name));
                        let ends = match id {
                            Some(id) => text.rsplit('/').next() == Some(&*tree.text(id)),
                            None => is_request,
                        };
                        (!own || !ends).then_some("Type/id")
                    }
                    _ => None,
                }
            };
            if let Some(why) = why {
                self.report(Raw::new(&fhr::FHR221, url).with(why));
            }
        }
        if of == "document" {
            self.unlinked(entries);
        }
    }

    /// Links of a Bundle: each relation once, and those of pages only where there are pages.
    fn links(&mut self, node: NodeId, of: &str) {
        if crate::IS_SMALL {
            return;
        }
        let tree = self.doc.tree;
        let has_pages = matches!(of, "searchset" | "history");
        let mut seen = BTreeSet::new();
        let list = tree.member(node, "link");
        for link in list.into_iter().flat_map(|list| tree.children(list)) {
            let Some(relation) = tree.member(link, "relation") else {
                continue;
            };
            let text = tree.text(relation);
            let is_page = PAGES.contains(&&*text);
            if (is_page && !has_pages)
                || ((is_page || text == "self") && !seen.insert(text.clone()))
            {
                self.report(Raw::new(&fhr::FHR223, relation).with("link.relation"));
            }
        }
    }

    /// Whether an entry gives an OperationOutcome as what was searched for.
    fn is_outcome_as_match(&self, entry: NodeId, resource: Option<NodeId>) -> bool {
        if crate::IS_SMALL {
            return false;
        }
        let tree = self.doc.tree;
        let is = |node: Option<NodeId>, text: &str| node.is_some_and(|n| tree.is_text(n, text));
        let search = tree.member(entry, "search");
        is(
            resource.and_then(|r| tree.member(r, "resourceType")),
            "OperationOutcome",
        ) && is(search.and_then(|s| tree.member(s, "mode")), "match")
    }

    /// Entries of a document that no reference joins to its Composition, in either direction.
    fn unlinked(&mut self, entries: NodeId) {
        if crate::IS_SMALL {
            return;
        }
        let tree = self.doc.tree;
        let v = self.v;
        let resources: Vec<(NodeId, NodeId)> = tree
            .children(entries)
            .filter_map(|e| Some((tree.member(e, "resource")?, e)))
            .collect();
        let number: BTreeMap<NodeId, usize> = resources
            .iter()
            .enumerate()
            .map(|(n, (r, _))| (*r, n))
            .collect();
        let mut joined: Vec<Vec<usize>> = vec![Vec::new(); resources.len()];
        for (n, (resource, _)) in resources.iter().enumerate() {
            for node in *resource..tree.after(*resource) {
                if tree.name(node) != v.ids.reference || tree.kind(node) != Kind::String {
                    continue;
                }
                let target = self
                    .scope
                    .references
                    .resolve(v, self.doc, &tree.text(node), node);
                let Some(other) = target.and_then(|t| number.get(&t).copied()) else {
                    continue;
                };
                for (a, b) in [(n, other), (other, n)] {
                    if let Some(list) = joined.get_mut(a) {
                        list.push(b);
                    }
                }
            }
        }
        let mut reached = vec![false; resources.len()];
        let mut next = vec![0];
        while let Some(n) = next.pop() {
            if reached.get(n) == Some(&false) {
                if let Some(flag) = reached.get_mut(n) {
                    *flag = true;
                }
                next.extend(joined.get(n).into_iter().flatten());
            }
        }
        for (n, (_, entry)) in resources.iter().enumerate() {
            if reached.get(n) == Some(&false) {
                self.report(Raw::new(&fhr::FHR223, *entry).with("Composition"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{CoreOnly, Options, Validator};

    /// Findings of these numbers: code, place, `!` for an error.
    fn found(source: &str) -> Vec<String> {
        let all =
            Validator::new(CoreOnly, CoreOnly, Options::default()).validate(source.as_bytes());
        all.list
            .iter()
            .filter(|f| f.code().starts_with("FHR2"))
            .map(|f| {
                let mark = if f.severity == warifu_diag::Severity::Error {
                    "!"
                } else {
                    ""
                };
                format!("{}{mark} {}", f.code(), f.location)
            })
            .collect()
    }

    fn check(source: &str, wanted: &[&str]) {
        assert_eq!(found(source), wanted, "{source}");
    }

    fn document(subject: &str, author: &str, more: &str) -> String {
        format!(
            r#"{{"resourceType": "Bundle", "type": "document", "entry": [
            {{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-550000000001", "resource": {{"resourceType": "Composition", "id": "1",
              "subject": {{"reference": "{subject}"}}, "author": [{{"reference": "{author}"}}]}}}},
            {{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-550000000002", "resource": {{"resourceType": "Patient", "id": "2"}}}}{more}]}}"#
        )
    }

    const PATIENT: &str = "urn:uuid:c757873d-ec9a-4326-a141-550000000002";

    #[test]
    fn documents_hold_what_their_composition_names() {
        check(&document(PATIENT, PATIENT, ""), &[]);
        check(
            &document(PATIENT, "http://h.jp/Practitioner/1", ""),
            &["FHR214! Bundle.entry[0].resource.author[0].reference"],
        );
        check(
            &document(PATIENT, "Practitioner/1", ""),
            &["FHR214! Bundle.entry[0].resource.author[0].reference"],
        );
        check(
            &document("Patient/2", PATIENT, ""),
            &["FHR214! Bundle.entry[0].resource.subject.reference"],
        );
        let lone = r#", {"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-550000000003", "resource": {"resourceType": "Organization"}}"#;
        check(
            &document(PATIENT, PATIENT, lone),
            &["FHR223! Bundle.entry[2]"],
        );
        let back = format!(
            r#", {{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-550000000003", "resource": {{"resourceType": "Observation", "subject": {{"reference": "{PATIENT}"}}}}}}"#
        );
        check(&document(PATIENT, PATIENT, &back), &[]);
        check(
            r#"{"resourceType": "Bundle", "type": "document"}"#,
            &["FHR223! Bundle"],
        );
    }

    #[test]
    fn entries_and_links_of_lists() {
        let of = |kind: &str, link: &str, entry: &str| {
            format!(
                r#"{{"resourceType": "Bundle", "type": "{kind}", "link": [{link}], "entry": [{entry}]}}"#
            )
        };
        let own = r#"{"relation": "self", "url": "http://h.jp/Patient"}"#;
        let next = r#"{"relation": "next", "url": "http://h.jp/Patient?page=2"}"#;
        let entry = r#"{"fullUrl": "http://h.jp/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}}"#;
        check(&of("searchset", &format!("{own}, {next}"), entry), &[]);
        check(
            &of("searchset", &format!("{own}, {own}"), entry),
            &["FHR223! Bundle.link[1].relation"],
        );
        check(
            &of("collection", next, entry),
            &["FHR223! Bundle.link[0].relation"],
        );
        check(
            &of(
                "searchset",
                own,
                r#"{"resource": {"resourceType": "Patient", "id": "1"}}"#,
            ),
            &["FHR222! Bundle.entry[0]"],
        );
        check(
            &of(
                "collection",
                own,
                r#"{"fullUrl": "http://h.jp/Patient/1", "resource": {"resourceType": "Patient"}}"#,
            ),
            &["FHR221! Bundle.entry[0].fullUrl"],
        );
        check(
            &of(
                "searchset",
                own,
                r#"{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-550000000001", "search": {"mode": "match"}, "resource": {"resourceType": "OperationOutcome"}}"#,
            ),
            &["FHR223! Bundle.entry[0]"],
        );
        let urn = r#"{"fullUrl": "http://h.jp/Observation/1", "resource": {"resourceType": "Observation", "id": "1", "subject": {"reference": "urn:uuid:c757873d-ec9a-4326-a141-550000000009"}}}"#;
        check(
            &of("collection", own, urn),
            &["FHR211 Bundle.entry[0].resource.subject.reference"],
        );
    }

    #[test]
    fn types_of_references_are_resources() {
        let of = |subject: &str| {
            format!(r#"{{"resourceType": "Observation", "subject": {{{subject}}}}}"#)
        };
        check(
            &of(r#""type": "Group", "reference": "Patient/1""#),
            &["FHR212! Observation.subject.type"],
        );
        check(&of(r#""type": "Patient", "reference": "Patient/1""#), &[]);
    }
}
