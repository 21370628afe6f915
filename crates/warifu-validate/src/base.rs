//! The base specification: structure, values, codes, invariants, extensions.

use std::borrow::Cow;

use warifu_definitions::{Code as Coded, CodeAnswer, Membership, NotChecked, PackageId, Strength};
use warifu_diag::catalogue::fhr;
use warifu_diag::{Code, Severity};
use warifu_fhirpath::{EvalError, HtmlError, Item, check_narrative};
use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::{ElementId, TypeId, TypeKind};

#[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
use crate::digest;
use crate::native::{Native, member};
use crate::plan::{At, CORE_PROFILES, Defect, Plan};
use crate::primitive::{Form, is_too_long};
use crate::rules::wider_context;
use crate::run::{Cx, Member, Raw, Run};
use crate::value::Json;
use crate::{ElementInfo, Known, Validator};

/// What a set says of the codes of an element.
pub(crate) enum Verdict {
    In,
    NotIn,
    /// There is no code.
    NoCode,
    /// `None`: the set is not at hand.
    NotChecked(Option<NotChecked>),
}

fn why_not_checked(why: Option<NotChecked>) -> String {
    let Some(why) = why else {
        return "value set not at hand".to_owned();
    };
    match why {
        NotChecked::SystemNotHeld { system } | NotChecked::ShapeOnly { system } => system.into(),
        NotChecked::Filter { filter } => filter.into(),
        NotChecked::Missing { package } => package.into(),
        NotChecked::TooLarge => "too large".to_owned(),
        _ => String::new(),
    }
}

/// An extension of R4: the others are at hand where this one is.
const SOME_EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/patient-nationality";

const LANGUAGES: &str = "http://hl7.org/fhir/ValueSet/languages";
const ALL_LANGUAGES: &str = "http://hl7.org/fhir/ValueSet/all-languages";

/// Extensions of the issues of an OperationOutcome that HL7 defines outside R4 core, with their values.
const OF_OUTCOMES: &[(&str, &str)] = &[
    ("operationoutcome-file", "valueString"),
    ("operationoutcome-issue-col", "valueInteger"),
    ("operationoutcome-issue-line", "valueInteger"),
    ("operationoutcome-message-id", "valueString"),
];

/// Where extensions are made up, to show what they look like.
const EXAMPLES: &[&str] = &[
    "http://example.org/",
    "http://acme.com/",
    "http://nema.org/",
];

/// An invariant that may be broken.
pub(crate) struct Broken<'d> {
    pub(crate) key: &'d str,
    pub(crate) human: &'d str,
    pub(crate) expression: &'d str,
    pub(crate) is_error: bool,
}

impl<'d> Run<'d> {
    /// A resource, and the profiles it claims.
    pub(crate) fn resource(&mut self, node: NodeId, container: Option<Cx>) {
        let tree = self.doc.tree;
        let v = self.v;
        if tree.kind(node) != Kind::Object {
            self.report(
                Raw::new(&fhr::FHR006, node)
                    .expects("object")
                    .with("object"),
            );
            return;
        }
        let of = self.typed(node).of;
        let named = member(tree, node, v.ids.resource_type);
        match named.and_then(|n| tree.plain(n)) {
            Some(name)
                if self.is_resource(of)
                    && v.core.type_(of).name() == name
                    && !v.core.type_(of).is_abstract() => {}
            _ => {
                // A type is one word of letters: what is none is not quoted.
                let is_word = |t: &&str| t.len() < 64 && t.bytes().all(|b| b.is_ascii_alphabetic());
                let why = match named.map(|n| tree.plain(n)) {
                    Some(name) => name.filter(is_word).unwrap_or("resourceType?"),
                    None => "no resourceType",
                };
                self.report(Raw::new(&fhr::FHR002, named.unwrap_or(node)).with(why));
                return;
            }
        }
        let cx = Cx {
            resource: node,
            root: container.map_or(node, |c| c.root),
        };
        let item = self.item_of(node);
        let profiles =
            member(tree, node, v.ids.meta).and_then(|meta| member(tree, meta, v.ids.profile));
        let before = self.claims;
        self.claims |= profiles.is_some();
        let ids = self.element_ids.len();
        self.object(item, of, cx);
        self.element_ids(ids);
        self.claims = before;
        self.of_resource(item, of, cx);
        self.invariants(item, None, cx);
        if of == v.ids.type_bundle {
            self.bundle(node);
        }
        for claim in profiles.into_iter().flat_map(|list| tree.children(list)) {
            if tree.kind(claim) == Kind::String {
                let canonical = tree.text(claim);
                self.claimed(&canonical, item, claim, cx, false);
            }
        }
    }

    /// A profile that a resource claims (`claim`: where), or that the caller imposes.
    pub(crate) fn claimed(
        &mut self,
        canonical: &str,
        item: Item,
        claim: NodeId,
        cx: Cx,
        imposed: bool,
    ) {
        let v = self.v;
        let known = v.known(canonical, None);
        if let Some(held) = Validator::other_version(canonical, known) {
            self.report(Raw::new(&fhr::FHR306, claim).with(held));
            return;
        }
        match known {
            Known::Type(of) => {
                if !v.core.is_a(item.of, of) {
                    let name = v.core.type_(of).name();
                    self.report(Raw::new(&fhr::FHR303, claim).with(name));
                }
            }
            Known::Profile(plan) => {
                if !v.core.is_a(item.of, plan.of) {
                    // An imposed profile is for the resources of its type.
                    if !imposed {
                        let name = v.core.type_(plan.of).name();
                        self.report(Raw::new(&fhr::FHR303, claim).with(name));
                    }
                    return;
                }
                for defect in &plan.defects {
                    let (code, what): (Code, &String) = match defect {
                        Defect::NotAtHand(what) => (&fhr::FHR302, what),
                        Defect::Unusable(what) => (&fhr::FHR305, what),
                    };
                    self.report(Raw::new(code, claim).with(what).by(plan, 0));
                }
                self.conform(item, plan, cx);
            }
            Known::Unknown => {
                self.report(Raw::new(&fhr::FHR301, claim).with(canonical));
            }
            Known::Missing => {
                self.report(Raw::new(&fhr::FHR302, claim).with(canonical));
            }
        }
    }

    /// Keys and values of an object, or of what stands beside a primitive.
    fn object(&mut self, item: Item, of: TypeId, cx: Cx) {
        let tree = self.doc.tree;
        let v = self.v;
        let owner = if v.form(of) == Form::None {
            item.node
        } else {
            item.twin
        };
        if owner == NONE || tree.kind(owner) != Kind::Object {
            return;
        }
        let is_resource = self.is_resource(of);
        let start = self.members.len();
        let mut seen = 0;
        for child in tree.children(owner) {
            seen += 1;
            let typed = self.typed(child);
            if typed.element == ElementId::NONE {
                if is_resource && tree.name(child) == v.ids.resource_type {
                    continue;
                }
                let key = tree.key(child);
                self.report(Raw::new(&fhr::FHR003, child).with(short(&key)));
                continue;
            }
            let is_twin = tree.is_twin(child);
            if is_twin && v.form(typed.of) == Form::None {
                let key = tree.key(child);
                self.report(Raw::new(&fhr::FHR003, child).with(short(&key)));
                continue;
            }
            let (value, twin) = if is_twin {
                (NONE, child)
            } else {
                (child, NONE)
            };
            let mut several = false;
            let mut merged = false;
            for member in self.members.get_mut(start..).unwrap_or_default() {
                if member.typed.name != typed.name {
                    continue;
                }
                if member.typed.of != typed.of {
                    several = true;
                } else if is_twin && member.twin == NONE {
                    member.twin = twin;
                    merged = true;
                } else if !is_twin && member.value == NONE {
                    member.value = value;
                    merged = true;
                } else {
                    // The same key again: the parser has said so.
                    merged = true;
                }
                break;
            }
            if several {
                let name = v.core.name_text(typed.name);
                self.report(Raw::new(&fhr::FHR009, child).with(name));
            } else if !merged {
                self.members.push(Member { typed, value, twin });
            }
        }
        self.scope.spend(seen);
        if seen == 0 {
            self.report(Raw::new(&fhr::FHR008, owner).with("{}"));
        }
        let end = self.members.len();
        if let Some(info) = v.type_info(of) {
            for (name, element) in &info.required {
                let there = self
                    .members
                    .get(start..end)
                    .unwrap_or_default()
                    .iter()
                    .any(|m| m.typed.name == *name);
                if !there {
                    let path = v.core.element(*element).path();
                    self.report(Raw::new(&fhr::FHR004, owner).with(path).missing(*name));
                }
            }
        }
        let has_ids = !is_resource && of != v.ids.type_definition;
        for n in start..end {
            if let Some(member) = self.members.get(n).copied() {
                if has_ids && member.typed.name == v.ids.id && member.value != NONE {
                    self.element_ids.push(member.value);
                }
                self.member(member, cx);
            }
        }
        self.members.truncate(start);
    }

    fn member(&mut self, member: Member, cx: Cx) {
        let tree = self.doc.tree;
        let Some(element) = self.v.element_info(member.typed.element) else {
            return;
        };
        let is_list = element.is_list;
        let of = member.typed.of;
        for node in [member.value, member.twin] {
            if node == NONE {
                continue;
            }
            let is_array = tree.kind(node) == Kind::Array;
            if is_array != is_list {
                let wanted = if is_list { "array" } else { "no array" };
                self.report(Raw::new(&fhr::FHR006, node).with(wanted).expects(wanted));
                return;
            }
            if is_array && tree.children(node).next().is_none() {
                self.report(Raw::new(&fhr::FHR008, node).with("[]"));
            }
        }
        if !is_list {
            self.item(
                Item {
                    node: member.value,
                    twin: member.twin,
                    of,
                    doc: 0,
                },
                element,
                cx,
            );
            return;
        }
        let list = |id: NodeId| tree.children(if id == NONE { u32::MAX } else { id });
        let mut values = list(member.value);
        let mut twins = list(member.twin);
        loop {
            let (value, twin) = (values.next(), twins.next());
            if value.is_none() && twin.is_none() {
                break;
            }
            let node = value.unwrap_or(NONE);
            self.item(
                Item {
                    node,
                    twin: twin.unwrap_or(NONE),
                    // Resources differ within one list.
                    of: if node == NONE {
                        of
                    } else {
                        self.typed(node).of
                    },
                    doc: 0,
                },
                element,
                cx,
            );
        }
    }

    fn item(&mut self, given: Item, element: &'d ElementInfo, cx: Cx) {
        let tree = self.doc.tree;
        let v = self.v;
        let null = |node: NodeId| node == NONE || tree.kind(node) == Kind::Null;
        let item = Item {
            node: if null(given.node) { NONE } else { given.node },
            twin: if null(given.twin) { NONE } else { given.twin },
            ..given
        };
        if item.node == NONE && item.twin == NONE {
            let node = if given.node == NONE {
                given.twin
            } else {
                given.node
            };
            self.report(Raw::new(&fhr::FHR008, node).with("null"));
            return;
        }
        let form = v.form(item.of);
        if given.twin != NONE {
            self.hollow(given, element.is_list);
        }
        if form == Form::None {
            if tree.kind(item.node) != Kind::Object {
                self.report(
                    Raw::new(&fhr::FHR006, item.node)
                        .with("object")
                        .expects("object"),
                );
                return;
            }
            let of = item.of;
            if self.is_resource(of) || of == TypeId::NONE {
                let contained = element.name == v.ids.contained;
                self.resource(item.node, contained.then_some(cx));
                return;
            }
            self.object(item, of, cx);
            if of == v.ids.type_extension {
                self.extension(item, element, cx);
            } else if of == v.ids.type_reference {
                self.reference(item, element.id);
            } else if of == v.ids.type_coding {
                self.coding(item);
            } else if of == v.ids.type_attachment {
                self.attachment(item);
            } else {
                self.of_type(item);
            }
        } else {
            if item.node != NONE && !self.primitive(item.node, form) {
                return;
            }
            if item.twin != NONE {
                if tree.kind(item.twin) == Kind::Object {
                    self.object(item, item.of, cx);
                } else {
                    self.report(
                        Raw::new(&fhr::FHR006, item.twin)
                            .with("object")
                            .expects("object"),
                    );
                    return;
                }
            }
        }
        if let Some((strength, set)) = element.binding
            // A profile may prefer another set.
            && !(strength == Strength::Preferred && self.claims)
        {
            self.bound(item, set.url(), strength, PackageId::CORE, None);
        }
        // R4 only prefers these, but binds the whole to BCP 47 (extension `maxValueSet`).
        if let Some((_, set)) = element.binding
            && !crate::IS_SMALL
            && set.url() == LANGUAGES
            && form == Form::Code
        {
            self.bound(
                item,
                ALL_LANGUAGES,
                Strength::Required,
                PackageId::CORE,
                None,
            );
        }
        self.invariants(item, Some(element), cx);
    }

    /// Whether the value has the JSON type and form of its type.
    fn primitive(&mut self, node: NodeId, form: Form) -> bool {
        let tree = self.doc.tree;
        let kind = tree.kind(node);
        if !form.is_kind(kind) {
            let wanted = form.kind_name();
            self.report(Raw::new(&fhr::FHR006, node).with(wanted).expects(wanted));
            return false;
        }
        let owned;
        let text = if let Some(text) = tree.plain(node) {
            text
        } else {
            owned = tree.text(node);
            &*owned
        };
        if kind == Kind::String && text.is_empty() {
            self.report(Raw::new(&fhr::FHR008, node).with("\"\""));
            return true;
        }
        if form == Form::Xhtml {
            match check_narrative(text) {
                Ok(links) => {
                    if let Some((at, _)) = links.into_iter().find(|(_, id)| !self.has_anchor(id)) {
                        let why = HtmlError::Link(at).to_string();
                        self.report(Raw::new(&fhr::FHR011, node).with(why));
                    }
                }
                Err(why) => self.report(Raw::new(&fhr::FHR011, node).with(why.to_string())),
            }
        } else if !form.holds(text) {
            let name = self.v.core.type_(self.typed(node).of).name();
            let found = self.show(node);
            let mut raw = Raw::new(&fhr::FHR007, node)
                .with(name)
                .expects(name)
                .finds(found);
            if is_too_long(text) {
                raw.expected = format!("{name}, <= 1 MB");
            } else if form == Form::String {
                // Control characters SHOULD not be in strings, R4 §2.24.0.1.
                raw.severity = Severity::Warning;
            }
            self.report(raw);
        }
        true
    }

    /// Whether an element, a contained resource or another narrative has an id.
    fn has_anchor(&self, id: &str) -> bool {
        if crate::IS_SMALL {
            return true;
        }
        let tree = self.doc.tree;
        let written = [format!("id=\"{id}\""), format!("name=\"{id}\"")];
        self.scope
            .spend(usize::try_from(tree.len()).unwrap_or(usize::MAX))
            && (0..tree.len()).any(|node| {
                tree.kind(node) == Kind::String
                    && if tree.name(node) == self.v.ids.id {
                        tree.is_text(node, id)
                    } else {
                        self.v.form(self.typed(node).of) == Form::Xhtml && {
                            let text = tree.text(node);
                            written.iter().any(|w| text.contains(w))
                        }
                    }
            })
    }

    /// Invariants of core for an element.
    fn invariants(&mut self, item: Item, element: Option<&'d ElementInfo>, cx: Cx) {
        let v = self.v;
        let of_type = v.type_info(item.of).map_or(&[][..], |t| &t.invariants);
        let of_element = element.map_or(&[][..], |e| &e.invariants);
        for id in of_type {
            self.core_rule(*id, item, cx);
        }
        for id in of_element {
            if !of_type.contains(id) {
                self.core_rule(*id, item, cx);
            }
        }
    }

    fn core_rule(&mut self, id: u16, item: Item, cx: Cx) {
        let v = self.v;
        let Some(rule) = v.rules.get(usize::from(id)) else {
            return;
        };
        let held = match rule.native {
            // A contained resource has its narrative in the one around it, FHIR R4 §2.28.3.
            Some(Native::Dom6) if cx.resource != cx.root => return,
            Some(native) => {
                Ok(native.holds(self.doc, &self.scope.references, item, cx.root, &v.ids))
            }
            None => match v.program(id) {
                Some(program) => self.holds(program, item, cx),
                None => return,
            },
        };
        if held == Ok(true) {
            return;
        }
        let invariant = v.core.invariant(id);
        let broken = Broken {
            key: invariant.key(),
            human: invariant.human(),
            expression: invariant.expression(),
            is_error: invariant.is_error(),
        };
        self.broken(held, item, &broken, None);
    }

    /// Reports an invariant that does not hold.
    pub(crate) fn broken(
        &mut self,
        held: Result<bool, EvalError>,
        item: Item,
        rule: &Broken<'d>,
        demand: Option<(&'d Plan, At)>,
    ) {
        let Broken {
            key,
            human,
            expression,
            is_error,
        } = *rule;
        let node = if item.node == NONE {
            item.twin
        } else {
            item.node
        };
        let broken = || {
            let mut raw = Raw::new(&fhr::FHR014, node).with(key).expects(human);
            raw.key = Some(key);
            raw.expression = expression;
            raw.severity = match key {
                // R4 marks it as best practice: a resource of data alone is none the worse.
                "dom-6" => Severity::Info,
                _ if is_error => Severity::Error,
                _ => Severity::Warning,
            };
            raw
        };
        let mut raw = match held {
            Ok(true) => return,
            Ok(false) => broken(),
            Err(EvalError::NotAvailable) => match self.scope.lacking.take() {
                Some(profile) => Raw::new(&fhr::FHR301, node).with(format!("{key}: {profile}")),
                None => Raw::new(&fhr::FHR304, node).with(key),
            },
            Err(why @ EvalError::Limit) => {
                Raw::new(&fhr::FHR308, node).with(format!("{key}: {why}"))
            }
            Err(why) if why.is_of_definition() => {
                Raw::new(&fhr::FHR305, node).with(format!("{key}: {why}"))
            }
            // The rule SHALL be true, and of these data it is not.
            Err(why) => broken().because(vec![why.to_string()]),
        };
        raw.demand = demand;
        self.report(raw);
    }

    fn extension(&mut self, item: Item, element: &ElementInfo, cx: Cx) {
        let tree = self.doc.tree;
        let v = self.v;
        let Some(node) = member(tree, item.node, v.ids.url) else {
            return;
        };
        if tree.kind(node) != Kind::String {
            return;
        }
        let url = tree.text(node);
        // Extensions of an extension have names of their own.
        let holder = self.holder(item.node);
        let nested = holder != NONE && self.typed(holder).of == v.ids.type_extension;
        if !url.contains(':') {
            if !nested {
                self.report(Raw::new(&fhr::FHR201, node));
            } else if self.is_no_part(holder, &url) {
                let mut raw = Raw::new(&fhr::FHR202, node).with(&*url);
                raw.severity = Severity::Error;
                self.report(raw);
            }
            return;
        }
        let is_modifier = element.name == v.ids.modifier;
        match v.known(&url, None) {
            Known::Profile(plan) if plan.of == v.ids.type_extension => {
                if plan.is_modifier != is_modifier {
                    let wanted = if plan.is_modifier {
                        "modifierExtension"
                    } else {
                        "extension"
                    };
                    self.report(Raw::new(&fhr::FHR204, node).with(wanted).by(plan, 0));
                }
                if !self.context_allows(plan, holder) || !self.context_holds(plan, holder, cx) {
                    let contexts: Vec<_> = plan
                        .structure
                        .contexts
                        .iter()
                        .map(|c| &*c.expression)
                        .chain(plan.structure.context_invariants.iter().map(|c| &**c))
                        .collect();
                    self.report(
                        Raw::new(&fhr::FHR203, node)
                            .with(plan.structure.name.to_string())
                            .expects(contexts.join(" | "))
                            .by(plan, 0),
                    );
                }
                self.conform(item, plan, cx);
            }
            Known::Missing => self.report(Raw::new(&fhr::FHR302, node).with(&*url)),
            known => {
                let code: Code = if is_modifier {
                    &fhr::FHR205
                } else {
                    &fhr::FHR202
                };
                let mut raw = Raw::new(code, node).with(&*url);
                if !is_modifier && self.is_of_outcomes(&url, item.node, holder) {
                    return;
                }
                // HL7 defines extensions after R4 as well, in packages that need not be at hand; a name
                // that nobody defined looks the same.
                let is_hl7 = || {
                    url.starts_with(CORE_PROFILES)
                        && matches!(v.known(SOME_EXTENSION, None), Known::Profile(_))
                };
                let allowed = v.options.unknown_extensions.as_deref();
                // What is defined is no extension.
                if !matches!(known, Known::Unknown) {
                    raw.severity = Severity::Error;
                } else if EXAMPLES.iter().any(|host| url.starts_with(host)) {
                    raw.severity = raw.severity.min(Severity::Warning);
                } else if let Some(allowed) = allowed {
                    raw.severity = if allowed.iter().any(|a| url.starts_with(&**a)) {
                        Severity::Info
                    } else {
                        Severity::Error
                    };
                } else if !is_modifier && is_hl7() {
                    raw.severity = Severity::Warning;
                }
                self.report(raw);
            }
        }
    }

    /// Whether an extension is one that validators write into an OperationOutcome, where and as HL7 defines
    /// it: R4 core has none of them, and they are what tools say, not data.
    fn is_of_outcomes(&self, url: &str, node: NodeId, holder: NodeId) -> bool {
        if crate::IS_SMALL {
            return false;
        }
        let tree = self.doc.tree;
        let own = url.strip_prefix(CORE_PROFILES);
        let own = own.and_then(|name| OF_OUTCOMES.iter().find(|(n, _)| *n == name));
        own.is_some_and(|(_, value)| tree.member(node, value).is_some())
            && self.is_at_path(holder, "OperationOutcome.issue")
    }

    /// The object that an item stands in, past its array.
    fn holder(&self, node: NodeId) -> NodeId {
        let tree = self.doc.tree;
        let parent = tree.parent(node);
        if parent != NONE && tree.kind(parent) == Kind::Array {
            tree.parent(parent)
        } else {
            parent
        }
    }

    /// Whether an extension may stand in an element, FHIR R4 §5.4.8.
    fn context_allows(&self, plan: &Plan, holder: NodeId) -> bool {
        let contexts = &plan.structure.contexts;
        let tree = self.doc.tree;
        if contexts.is_empty() || holder == NONE {
            return true;
        }
        let core = self.v.core;
        let typed = self.typed(holder);
        if wider_context(&plan.structure.url)
            .is_some_and(|at| at.is_empty() || self.is_at_path(holder, at))
        {
            return true;
        }
        contexts.iter().any(|context| {
            let expression = &*context.expression;
            match &*context.kind {
                // More than a path: it is not evaluated, and not held against the document.
                "fhirpath" => true,
                "extension" => member(tree, holder, self.v.ids.url)
                    .is_some_and(|u| tree.is_text(u, expression)),
                _ => {
                    let expression = expression
                        .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
                        .unwrap_or(expression);
                    let expression = expression.rsplit('#').next().unwrap_or(expression);
                    if matches!(expression, "Element" | "*") {
                        return true;
                    }
                    if let Some(of) = core.type_named(expression)
                        && core.is_a(typed.of, of)
                    {
                        return true;
                    }
                    self.is_at_path(holder, expression)
                }
            }
        })
    }

    /// Whether the definition of an extension has no part of this name.
    fn is_no_part(&self, extension: NodeId, name: &str) -> bool {
        if crate::IS_SMALL {
            return false;
        }
        let tree = self.doc.tree;
        let Some(url) = member(tree, extension, self.v.ids.url) else {
            return false;
        };
        let Known::Profile(plan) = self.v.known(&tree.text(url), None) else {
            return false;
        };
        let mut parts = plan
            .structure
            .elements
            .iter()
            .filter(|e| &*e.path == "Extension.extension.url")
            .filter_map(|e| e.fixed.as_ref())
            .map(|v| Json::read(&v.json))
            .peekable();
        parts.peek().is_some() && parts.all(|part| part != Json::Text(name.into()))
    }

    /// Whether what an extension's definition demands of its place holds there.
    fn context_holds(&mut self, plan: &'d Plan, holder: NodeId, cx: Cx) -> bool {
        if crate::IS_SMALL {
            return true;
        }
        if plan.context_rules.is_empty() || holder == NONE {
            return true;
        }
        let item = self.item_of(holder);
        // What cannot be evaluated is not held against the document.
        plan.context_rules
            .iter()
            .all(|rule| self.holds(rule, item, cx) != Ok(false))
    }

    /// Whether an element's path ends in `Type.a.b`.
    fn is_at_path(&self, node: NodeId, path: &str) -> bool {
        let core = self.v.core;
        let mut at = node;
        let mut steps = path.rsplit('.').peekable();
        while let Some(step) = steps.next() {
            if at == NONE {
                return false;
            }
            if steps.peek().is_none() {
                // The type that the path begins with.
                let of = self.typed(at).of;
                return core.type_named(step).is_some_and(|t| core.is_a(of, t));
            }
            if core.name_text(self.typed(at).name) != step.trim_end_matches("[x]") {
                return false;
            }
            at = self.holder(at);
        }
        false
    }

    fn coding(&mut self, item: Item) {
        let tree = self.doc.tree;
        let ids = &self.v.ids;
        let text = |key: u16| self.text_of(item.node, key);
        let (Some(system), Some(code)) = (text(ids.system), text(ids.code)) else {
            return;
        };
        let display = text(ids.display);
        let version = text(ids.version);
        let answer = self.v.code(Coded {
            system: Some(&system),
            version: version.as_deref(),
            code: &code,
            display: display.as_deref(),
        });
        let place = |key: u16| member(tree, item.node, key).unwrap_or(item.node);
        match answer {
            CodeAnswer::UnknownCode => {
                let raw = Raw::new(&fhr::FHR104, place(ids.code));
                let found = self.show(place(ids.code));
                self.report(raw.with(&*system).finds(found));
            }
            CodeAnswer::Known {
                other_display: Some(other),
            } => {
                let raw = Raw::new(&fhr::FHR105, place(ids.display));
                let found = self.show(place(ids.display));
                self.report(raw.with(&*system).expects(&*other).finds(found));
            }
            CodeAnswer::Known {
                other_display: None,
            }
            | CodeAnswer::NotChecked(_) => {}
        }
    }

    fn attachment(&mut self, item: Item) {
        let tree = self.doc.tree;
        let Some(data) = tree.member(item.node, "data") else {
            return;
        };
        let text = tree.text(data);
        #[cfg(any(feature = "whole", not(target_arch = "wasm32")))]
        if let Some(hash) = tree.member(item.node, "hash")
            && let Some(bytes) = digest::decode(&text)
            && digest::decode(&tree.text(hash)).is_some_and(|h| h != digest::sha1(&bytes))
        {
            self.report(Raw::new(&fhr::FHR012, hash).with("hash"));
        }
        let Some(size) = tree.member(item.node, "size") else {
            return;
        };
        let mut digits = 0_usize;
        let mut bad = false;
        for b in text.bytes() {
            match b {
                b'=' | b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/') => digits += 1,
                _ => bad = true,
            }
        }
        let length = digits * 3 / 4;
        if !bad && tree.text(size).parse() != Ok(length) {
            self.report(
                Raw::new(&fhr::FHR012, size)
                    .with("size")
                    .expects(length.to_string()),
            );
        }
    }

    /// Holds an element against a binding.
    pub(crate) fn bound(
        &mut self,
        item: Item,
        value_set: &str,
        strength: warifu_definitions::Strength,
        from: PackageId,
        demand: Option<(&'d Plan, At)>,
    ) {
        use warifu_definitions::Strength as S;
        use warifu_diag::catalogue::profile::{Demand, code};
        let verdict = self.verdict(item, value_set, from);
        let node = if item.node == NONE {
            item.twin
        } else {
            item.node
        };
        let own = |core: Code, wanted: Demand| match demand {
            Some((plan, _)) => code(&plan.structure.url, wanted),
            None => core,
        };
        let argument = || match demand.and_then(|(plan, at)| plan.nodes.get(at)) {
            Some(n) => n.id.to_string(),
            None => value_set.to_owned(),
        };
        let mut raw = match verdict {
            Verdict::In => return,
            Verdict::NotChecked(why) => {
                if strength < S::Extensible {
                    return;
                }
                Raw::new(&fhr::FHR304, node)
                    .with(value_set)
                    .because(vec![why_not_checked(why)])
            }
            Verdict::NoCode => {
                // Text alone says that no code fits.
                if strength != S::Required || item.node == NONE {
                    return;
                }
                Raw::new(own(&fhr::FHR101, Demand::Required), node)
                    .with(argument())
                    .expects(value_set)
            }
            Verdict::NotIn => {
                let code = match strength {
                    S::Required => own(&fhr::FHR101, Demand::Required),
                    S::Extensible => own(&fhr::FHR102, Demand::Extensible),
                    S::Preferred => own(&fhr::FHR103, Demand::Preferred),
                    S::Example => return,
                };
                Raw::new(code, node).with(argument()).expects(value_set)
            }
        };
        raw.found = self.codes(item);
        raw.demand = demand;
        self.report(raw);
    }

    /// Codes of an element as `system#code`, the first three.
    fn codes(&self, item: Item) -> String {
        let tree = self.doc.tree;
        let ids = &self.v.ids;
        let one = |node: NodeId| {
            let text = |key: u16| member(tree, node, key).map(|n| self.show(n));
            let (system, code) = (text(ids.system), text(ids.code));
            format!(
                "{}#{}",
                system.unwrap_or_default(),
                code.unwrap_or_default()
            )
        };
        if item.node == NONE || tree.kind(item.node) != Kind::Object {
            return self.show(item.node);
        }
        match member(tree, item.node, ids.coding) {
            Some(list) => {
                let mut codings = tree.children(list);
                let mut shown: Vec<_> = codings.by_ref().take(3).map(one).collect();
                if codings.next().is_some() {
                    shown.push("…".to_owned());
                }
                shown.join(", ")
            }
            None => one(item.node),
        }
    }

    /// A string of an object, by number of its key.
    fn text_of(&self, node: NodeId, key: u16) -> Option<Cow<'d, str>> {
        let tree = self.doc.tree;
        let node = member(tree, node, key)?;
        (tree.kind(node) == Kind::String).then(|| tree.text(node))
    }

    /// What a set says of an element's codes.
    pub(crate) fn verdict(&self, item: Item, value_set: &str, from: PackageId) -> Verdict {
        let tree = self.doc.tree;
        let v = self.v;
        let ids = &v.ids;
        if item.node == NONE {
            return Verdict::NoCode;
        }
        let mut verdict = Verdict::NoCode;
        let mut one = |system: Option<&str>, code: &str| -> bool {
            match v.member(value_set, from, system, code) {
                Membership::In => verdict = Verdict::In,
                Membership::NotIn if matches!(verdict, Verdict::NoCode) => {
                    verdict = Verdict::NotIn;
                }
                Membership::NotIn => {}
                Membership::UnknownValueSet => verdict = Verdict::NotChecked(None),
                Membership::NotChecked(why) => verdict = Verdict::NotChecked(Some(why)),
            }
            matches!(verdict, Verdict::In)
        };
        if tree.kind(item.node) != Kind::Object {
            one(None, &tree.text(item.node));
        } else if item.of == ids.type_concept {
            for coding in member(tree, item.node, ids.coding)
                .into_iter()
                .flat_map(|list| tree.children(list))
            {
                let Some(code) = self.text_of(coding, ids.code) else {
                    continue;
                };
                let system = self.text_of(coding, ids.system);
                if one(Some(system.as_deref().unwrap_or_default()), &code) {
                    break;
                }
            }
        } else if let Some(code) = self.text_of(item.node, ids.code) {
            let system = self.text_of(item.node, ids.system);
            one(Some(system.as_deref().unwrap_or_default()), &code);
        }
        verdict
    }

    /// Whether a type is one of elements with elements.
    pub(crate) fn is_complex(&self, of: TypeId) -> bool {
        of != TypeId::NONE && self.v.core.type_(of).kind() != TypeKind::Primitive
    }
}

/// A key as shown: at most 64 characters.
fn short(key: &str) -> String {
    key.chars().take(64).collect()
}
