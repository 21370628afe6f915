//! The Bundle filter: classify, decide, cut, and leave nothing that tells what was cut (consent.md §11).
//!
//! The tree is edited in place: a node is dropped or replaced, everything else keeps its bytes.

use std::collections::{BTreeMap, BTreeSet};

use warifu_json::{Kind, Limits, NodeId, ROOT, Tree, parse};

use crate::date::{Date, instant};
use crate::decide::{Item, Origin, Request, State, Told, Who, Why, decide};
use crate::hash::resource_key;
use crate::json::quote;
use crate::policy::{Bits, Policy};

/// What the holder knows of a resource beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Facility it comes from.
    pub src: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was recorded; `meta.lastUpdated` where absent.
    pub recorded: Option<u64>,
    /// 告知
    pub told: Told,
}

/// Where [`Facts`] come from.
pub trait Knowledge {
    /// Facts of the resource of this type and id.
    fn facts(&self, kind: &str, id: &str) -> Facts;
}

/// Why a Bundle is not filtered: nothing goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// Not one FHIR R4 Bundle in sound JSON.
    #[error("not a FHIR R4 Bundle")]
    NotBundle,
    /// Larger than 64 MiB.
    #[error("larger than 64 MiB")]
    TooLarge,
    /// The check of the output found something that should not be there.
    #[error("the check of the output failed")]
    SelfCheck,
}

/// An item that was withheld: for the patient and the log's owner, never for the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Resource key.
    pub key: String,
    /// Resource type.
    pub kind: String,
    /// Its categories.
    pub cats: Vec<String>,
    /// Why.
    pub why: Why,
}

/// What may go out, and what is told to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// The Bundle for the recipient.
    pub bytes: Vec<u8>,
    /// Categories that go out, sorted: for the `disclose` line.
    pub cats: Vec<String>,
    /// Grants used.
    pub grants: Vec<String>,
    /// Obligations.
    pub obligations: Vec<String>,
    /// For the patient; items that were not told are neither listed nor counted.
    pub withheld: Vec<Withheld>,
}

const MOST_BYTES: usize = 64 << 20;

/// Elements that speak of other things than their resource does (§11.1, 7 and 9).
const TELLING: &[&str] = &[
    "note",
    "reasonCode",
    "conclusion",
    "conclusionCode",
    "presentedForm",
    "comment",
    "patientInstruction",
    "valueAttachment",
    "contentAttachment",
    "photo",
    "description",
    "supportingInfo",
    "outcome",
    "evidence",
    "complication",
    "complicationDetail",
    "followUp",
    "media",
    "hospitalization",
    "serviceType",
];

/// Where clinical dates stand, the most telling first.
const DATES: &[&str] = &[
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "occurrencePeriod",
    "period",
    "onsetDateTime",
    "onsetPeriod",
    "authoredOn",
    "whenHandedOver",
    "whenPrepared",
    "started",
    "dateTime",
    "date",
    "recordedDate",
    "issued",
    "created",
];

const MASKED: &str = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;

/// References that their element cannot be without: the element goes with them.
const NEEDED: &[(&str, &str)] = &[
    ("diagnosis", "condition"),
    ("entry", "item"),
    ("content", "attachment"),
    ("agent", "who"),
    ("participant", "actor"),
    ("protocolApplied", "authority"),
];

/// References that a resource cannot be without: they are masked.
const REQUIRED: &[&str] = &["medicationReference", "subject", "patient", "beneficiary"];

/// A resource: an entry's, or a contained one.
struct Unit {
    node: NodeId,
    kind: String,
    id: String,
    full_url: Option<String>,
    container: Option<usize>,
    item: Item,
    administrative: bool,
    kept: bool,
    why: Why,
}

/// Filters a Bundle for one request. The same input gives the same bytes on every machine.
///
/// # Errors
/// [`FilterError`]: then nothing may go out.
pub fn filter(
    bundle: &[u8],
    state: &State<'_>,
    request: &Request,
    knowledge: &dyn Knowledge,
) -> Result<Filtered, FilterError> {
    if bundle.len() > MOST_BYTES {
        return Err(FilterError::TooLarge);
    }
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    let is_bundle = tree
        .member(ROOT, "resourceType")
        .is_some_and(|t| tree.is_text(t, "Bundle"));
    if !parsed.issues.is_empty() || !is_bundle {
        return Err(FilterError::NotBundle);
    }
    let mut work = Work {
        tree,
        state,
        request,
        policy: state.policy,
        units: Vec::new(),
        index: BTreeMap::new(),
        drop: BTreeSet::new(),
        replace: BTreeMap::new(),
        cats: Bits::NONE,
        grants: BTreeSet::new(),
        obligations: BTreeSet::new(),
    };
    work.collect(knowledge);
    let document = tree
        .member(ROOT, "type")
        .is_some_and(|t| tree.is_text(t, "document"));
    if document {
        match work.document() {
            Form::Whole => return Ok(work.result(bundle.to_vec())),
            Form::Withheld => {
                for u in &mut work.units {
                    u.kept = false;
                }
            }
            Form::Derived => work.decide_all(),
        }
    } else {
        work.decide_all();
    }
    work.reduce_patient();
    work.cut();
    let bytes = work.write();
    work.check(&bytes)?;
    Ok(work.result(bytes))
}

/// Entries of a Bundle that have categories of their own: `Type/id`, and the codes; what goes only with
/// others (organisations and the like) and the person are left out.
///
/// # Errors
/// [`FilterError::NotBundle`]
pub fn categories_of(
    bundle: &[u8],
    policy: &Policy,
) -> Result<Vec<(String, Vec<String>)>, FilterError> {
    let parsed = parse(bundle, Limits::FHIR, &());
    let tree = &parsed.tree;
    if !parsed.issues.is_empty() || text_of(tree, ROOT, "resourceType").as_deref() != Some("Bundle")
    {
        return Err(FilterError::NotBundle);
    }
    let Some(entries) = tree.member(ROOT, "entry") else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for node in tree.children(entries) {
        let Some(node) = tree.member(node, "resource") else {
            continue;
        };
        let kind = text_of(tree, node, "resourceType").unwrap_or_default();
        if kind == "Patient" || policy.administrative.contains(&kind) {
            continue;
        }
        let id = text_of(tree, node, "id").unwrap_or_default();
        let (cats, _) = classify(tree, policy, node, &kind);
        all.push((format!("{kind}/{id}"), policy.category_codes(cats)));
    }
    Ok(all)
}

enum Form {
    Whole,
    Withheld,
    Derived,
}

struct Work<'a> {
    tree: &'a Tree<'a>,
    state: &'a State<'a>,
    request: &'a Request,
    policy: &'a Policy,
    units: Vec<Unit>,
    index: BTreeMap<String, usize>,
    drop: BTreeSet<NodeId>,
    replace: BTreeMap<NodeId, &'static str>,
    cats: Bits,
    grants: BTreeSet<String>,
    obligations: BTreeSet<String>,
}

impl Work<'_> {
    fn text(&self, node: NodeId, key: &str) -> Option<String> {
        text_of(self.tree, node, key)
    }

    fn collect(&mut self, knowledge: &dyn Knowledge) {
        let tree = self.tree;
        let Some(entries) = tree.member(ROOT, "entry") else {
            return;
        };
        for entry in tree.children(entries) {
            let Some(node) = tree.member(entry, "resource") else {
                continue;
            };
            let full_url = self.text(entry, "fullUrl");
            let at = self.units.len();
            self.add(node, full_url, None, knowledge);
            if let Some(contained) = tree.member(node, "contained") {
                for node in tree.children(contained) {
                    self.add(node, None, Some(at), knowledge);
                }
            }
        }
        // A Binary is what the documents say it is.
        let mut binaries: BTreeMap<usize, Bits> = BTreeMap::new();
        for u in self.units.iter().filter(|u| u.kind == "DocumentReference") {
            for node in inside(tree, u.node) {
                if tree.kind(node) == Kind::String
                    && let Some(target) = self.resolve(&tree.text(node), None)
                    && self.units.get(target).is_some_and(|t| t.kind == "Binary")
                {
                    let bits = binaries.entry(target).or_default();
                    *bits = bits.with(u.item.cats);
                }
            }
        }
        for (target, cats) in binaries {
            if let Some(u) = self.units.get_mut(target) {
                u.item.cats = cats;
            }
        }
    }

    fn add(
        &mut self,
        node: NodeId,
        full_url: Option<String>,
        container: Option<usize>,
        knowledge: &dyn Knowledge,
    ) {
        let kind = self.text(node, "resourceType").unwrap_or_default();
        let id = self.text(node, "id").unwrap_or_default();
        let facts = knowledge.facts(&kind, &id);
        let at = self.units.len();
        match container {
            None => {
                self.index.insert(format!("{kind}/{id}"), at);
                if let Some(url) = &full_url {
                    self.index.insert(url.clone(), at);
                }
            }
            Some(c) => {
                self.index.insert(format!("{c}#{id}"), at);
            }
        }
        let item = self.item(node, &kind, &id, &facts);
        self.units.push(Unit {
            node,
            administrative: self.policy.administrative.contains(&kind),
            kind,
            id,
            full_url,
            container,
            item,
            kept: false,
            why: Why::Unclassified,
        });
    }

    /// Step 3: categories, labels, dates, source.
    fn item(&self, node: NodeId, kind: &str, id: &str, facts: &Facts) -> Item {
        let tree = self.tree;
        let (cats, labels) = classify(tree, self.policy, node, kind);
        let tagged = |code: &str| {
            let tag = tree
                .member(node, "meta")
                .and_then(|m| tree.member(m, "tag"));
            tag.is_some_and(|t| {
                tree.children(t)
                    .any(|n| self.text(n, "code").as_deref() == Some(code))
            })
        };
        let encounter = ["encounter", "context"]
            .iter()
            .find_map(|k| tree.member(node, k).and_then(|r| self.text(r, "reference")))
            .and_then(|r| {
                r.rsplit('/')
                    .next()
                    .map(|id| resource_key(&facts.src, "Encounter", id))
            });
        let updated = tree
            .member(node, "meta")
            .and_then(|m| self.text(m, "lastUpdated"))
            .and_then(|t| instant(&t));
        Item {
            key: resource_key(&facts.src, kind, id),
            cats,
            unknown: false,
            src: facts.src.clone(),
            encounter: if kind == "Encounter" {
                Some(resource_key(&facts.src, kind, id))
            } else {
                encounter
            },
            clinical: clinical(tree, node),
            recorded: facts.recorded.or(updated),
            labels,
            origin: facts.origin,
            told: facts.told,
            uninformed: tagged("UNINFORMED"),
            undelivered: tagged("UNDELIVERED"),
        }
    }

    /// Step 4 for everything that has categories of its own.
    fn decide_all(&mut self) {
        for at in 0..self.units.len() {
            let Some(u) = self.units.get(at) else {
                continue;
            };
            if u.administrative {
                continue;
            }
            let d = decide(self.state, self.request, &u.item);
            let cats = u.item.cats;
            if d.permits() {
                self.cats = self.cats.with(cats);
                self.grants.extend(d.grants.iter().cloned());
                self.obligations.extend(d.obligations.iter().cloned());
            }
            if let Some(u) = self.units.get_mut(at) {
                u.kept = d.permits();
                u.why = d.why;
            }
        }
        // What is contained goes with its container.
        for at in 0..self.units.len() {
            let alone = self.units.get(at).and_then(|u| u.container);
            if let Some(c) = alone
                && !self
                    .units
                    .get(c)
                    .is_some_and(|c| c.kept || c.administrative)
                && let Some(u) = self.units.get_mut(at)
            {
                u.kept = false;
            }
        }
    }

    /// Step 8: whole, derived, or not at all; by the grants, not by what is in it.
    fn document(&mut self) -> Form {
        let Some(composition) = self.units.iter().find(|u| u.kind == "Composition") else {
            return Form::Derived;
        };
        let own = composition.item.cats;
        let mut whole = composition.item.clone();
        whole.cats = own.with(self.policy.individual());
        let d = decide(self.state, self.request, &whole);
        for u in &mut self.units {
            if !u.administrative && !u.item.cats.is_empty() && u.kind != "Patient" {
                u.item.cats = own.with(Bits(u.item.cats.0 & self.policy.individual().0));
            }
        }
        if own.is_empty() || !d.permits() {
            return Form::Derived;
        }
        let mut shut = false;
        for u in &mut self.units {
            if u.administrative || u.kind == "Patient" {
                continue;
            }
            u.why = decide(self.state, self.request, &u.item).why;
            shut |= u.why != Why::Permitted;
        }
        if shut {
            return Form::Withheld;
        }
        self.cats = whole.cats;
        self.grants.extend(d.grants);
        self.obligations.extend(d.obligations);
        for u in &mut self.units {
            u.kept = true;
        }
        Form::Whole
    }

    fn patient_denied(u: &Unit) -> bool {
        u.kind == "Patient" && u.container.is_none() && !u.kept
    }

    /// Step 5: who it is about goes with anything else, reduced to name, birth date and gender.
    fn reduce_patient(&mut self) {
        let any = self.units.iter().any(|u| u.kept && u.container.is_none());
        if !any {
            return;
        }
        let tree = self.tree;
        for u in &mut self.units {
            if Self::patient_denied(u) {
                u.kept = true;
                for member in tree.children(u.node) {
                    let key = tree.key(member);
                    if !["resourceType", "id", "name", "birthDate", "gender"].contains(&&*key) {
                        self.drop.insert(member);
                    }
                }
            }
        }
    }

    fn resolve(&self, reference: &str, from: Option<usize>) -> Option<usize> {
        if let Some(id) = reference.strip_prefix('#') {
            let unit = from.and_then(|f| self.units.get(f))?;
            let root = unit.container.or(from)?;
            return if id.is_empty() {
                Some(root)
            } else {
                self.index.get(&format!("{root}#{id}")).copied()
            };
        }
        let plain = reference.split("/_history/").next().unwrap_or(reference);
        self.index.get(plain).copied()
    }

    /// Steps 5 to 9.
    fn cut(&mut self) {
        let wide = self.is_wide();
        let tree = self.tree;
        // Administrative resources go with what refers to them.
        let mut todo: Vec<usize> = (0..self.units.len())
            .filter(|at| {
                self.units
                    .get(*at)
                    .is_some_and(|u| u.kept && u.container.is_none())
            })
            .collect();
        while let Some(at) = todo.pop() {
            self.cut_unit(at, wide);
            let Some(node) = self.units.get(at).map(|u| u.node) else {
                continue;
            };
            let mut found = Vec::new();
            for n in self.living(node) {
                if let Some(text) = self.text(n, "reference")
                    && let Some(target) = self.resolve(&text, Some(at))
                {
                    found.push(target);
                }
            }
            for target in found {
                if let Some(u) = self.units.get_mut(target)
                    && u.administrative
                    && !u.kept
                {
                    u.kept = true;
                    if u.container.is_none() {
                        todo.push(target);
                    }
                }
            }
        }
        // Sections without anything left, the innermost first.
        for u in self
            .units
            .iter()
            .filter(|u| u.kept && u.kind == "Composition")
        {
            let sections: Vec<NodeId> = inside(tree, u.node)
                .filter(|n| {
                    let parent = tree.parent(*n);
                    tree.kind(parent) == Kind::Array && tree.key(parent) == "section"
                })
                .collect();
            for section in sections.into_iter().rev() {
                let lives = |key: &str| {
                    tree.member(section, key)
                        .is_some_and(|list| tree.children(list).any(|n| !self.drop.contains(&n)))
                };
                if !lives("entry") && !lives("section") {
                    self.drop.insert(section);
                }
            }
        }
    }

    /// Nodes of a resource that are not dropped.
    fn living(&self, node: NodeId) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut todo = vec![node];
        while let Some(n) = todo.pop() {
            if !self.drop.contains(&n) && !self.replace.contains_key(&n) {
                out.push(n);
                todo.extend(self.tree.children(n));
            }
        }
        out
    }

    fn cut_unit(&mut self, at: usize, wide: bool) {
        let tree = self.tree;
        let Some(u) = self.units.get(at) else { return };
        let root = u.node;
        let mask = u.item.origin == Origin::Claims && !matches!(self.request.who, Who::Subject);
        let (kind, claims) = (u.kind.clone(), mask);
        let mut dropped = Vec::new();
        let mut replaced = Vec::new();
        // What is contained stands behind its container.
        let contained = self.units.iter().skip(at + 1);
        for c in contained.take_while(|c| c.container == Some(at)) {
            let facility = [
                "Organization",
                "Practitioner",
                "PractitionerRole",
                "Location",
            ];
            let masked = claims && facility.contains(&c.kind.as_str());
            if masked || !c.kept && !c.administrative {
                dropped.push(c.node);
            }
        }
        for node in inside(tree, root) {
            let key = tree.key(node);
            let parent = tree.parent(node);
            let at_root = parent == root;
            if !wide {
                let telling = TELLING.contains(&&*key)
                    || key == "type" && at_root && kind == "Encounter"
                    || key == "text" && tree.kind(node) == Kind::Object;
                if telling && !(key == "text" && tree.member(node, "div").is_none()) {
                    dropped.push(node);
                    continue;
                }
            }
            if claims && at_root && key == "identifier" {
                dropped.push(node);
                continue;
            }
            match tree.kind(node) {
                Kind::Object => {
                    let reference = self.text(node, "reference");
                    let logical = reference.is_none() && self.is_logical(node);
                    if reference.is_none() && !logical {
                        continue;
                    }
                    let target = reference.as_ref().and_then(|r| self.resolve(r, Some(at)));
                    let to = target.and_then(|t| self.units.get(t));
                    let stays = match (to, logical) {
                        (Some(t), _) => t.kept || t.administrative && t.kind != "Provenance",
                        // A logical reference resolves elsewhere; only to who and where, not to data.
                        (None, true) => self
                            .text(node, "type")
                            .is_some_and(|t| self.policy.administrative.contains(&t)),
                        (None, false) => false,
                    };
                    let named = to.map(|t| t.kind.clone()).or_else(|| {
                        reference
                            .as_ref()
                            .and_then(|r| r.split('/').next().map(str::to_owned))
                            .or_else(|| self.text(node, "type"))
                    });
                    let facility = claims
                        && named.is_some_and(|n| {
                            [
                                "Organization",
                                "Practitioner",
                                "PractitionerRole",
                                "Location",
                            ]
                            .contains(&n.as_str())
                        });
                    if facility {
                        replaced.push(node);
                    } else if !stays {
                        let held = tree.parent(parent);
                        let needed = NEEDED.contains(&(&*self.element(parent), &*key));
                        if needed && held != root && tree.kind(parent) == Kind::Object {
                            dropped.push(parent);
                        } else if at_root && REQUIRED.contains(&&*key) {
                            replaced.push(node);
                        } else {
                            dropped.push(node);
                        }
                    }
                }
                Kind::String if key != "reference" && key != "id" => {
                    let text = tree.text(node);
                    let target = self.resolve(&text, Some(at));
                    let gone = match target.and_then(|t| self.units.get(t)) {
                        Some(t) => !t.kept && t.node != root && text.contains(['/', ':']),
                        None => self.is_local(&text),
                    };
                    if gone {
                        dropped.push(node);
                    }
                }
                _ => {}
            }
        }
        self.drop.extend(dropped);
        for node in replaced {
            self.replace.insert(node, MASKED);
        }
    }

    /// `Type/id` of a type that the policy knows, as local references are written.
    fn is_local(&self, text: &str) -> bool {
        let known = |kind: &str| {
            kind == "Binary"
                || self.policy.administrative.iter().any(|t| t == kind)
                || self
                    .policy
                    .matches
                    .iter()
                    .any(|m| m.types.iter().any(|t| t == kind))
        };
        text.split_once('/')
            .is_some_and(|(kind, id)| !id.is_empty() && !id.contains('/') && known(kind))
    }

    /// Name of the element that an object is, or is an item of.
    fn element(&self, node: NodeId) -> String {
        let key = self.tree.key(node);
        if key.is_empty() {
            self.tree.key(self.tree.parent(node)).into_owned()
        } else {
            key.into_owned()
        }
    }

    /// `{identifier: {…}}` and nothing that a reference does not have.
    fn is_logical(&self, node: NodeId) -> bool {
        let tree = self.tree;
        let known = ["id", "extension", "type", "identifier", "display"];
        tree.member(node, "identifier")
            .is_some_and(|i| tree.kind(i) == Kind::Object)
            && tree.children(node).all(|c| known.contains(&&*tree.key(c)))
    }

    /// Whether the request may see everything there could be, so that free text tells nothing new.
    fn is_wide(&self) -> bool {
        let shut = self
            .units
            .iter()
            .any(|u| !u.administrative && !u.kept && u.container.is_none());
        let reduced = self
            .units
            .iter()
            .any(|u| u.kind == "Patient" && u.why != Why::Permitted);
        if shut || reduced && matches!(self.request.who, Who::Recipient(_)) {
            return false;
        }
        if !matches!(self.request.who, Who::Recipient(_)) {
            return true;
        }
        let mut open = self.state.clone();
        open.grants.retain(|g| {
            g.annex.is_empty()
                && g.window == (None, None)
                && g.recorded.is_none()
                && g.parent.is_none()
        });
        self.policy.all_categories().places().all(|p| {
            let item = Item {
                key: String::new(),
                cats: Bits::one(p),
                unknown: false,
                src: String::new(),
                encounter: None,
                clinical: None,
                recorded: None,
                labels: None,
                origin: Origin::Ehr,
                told: Told::Unknown,
                uninformed: false,
                undelivered: false,
            };
            decide(&open, self.request, &item).permits()
        })
    }

    /// Step 10: a Bundle of what is left, and nothing that counts.
    fn write(&self) -> Vec<u8> {
        let kind = self.text(ROOT, "type");
        let kind = match kind.as_deref() {
            Some("searchset") => "searchset",
            _ => "collection",
        };
        let mut out = String::from(r#"{"resourceType":"Bundle","meta":{"#);
        if !self.obligations.is_empty() {
            out.push_str(r#""security":["#);
            for (i, code) in self.obligations.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(
                    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"#,
                );
                quote(code, &mut out);
                out.push('}');
            }
            out.push_str("],");
        }
        out.push_str(r#""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},"type":""#);
        out.push_str(kind);
        out.push('"');
        let mut first = true;
        for u in self
            .units
            .iter()
            .filter(|u| u.kept && u.container.is_none())
        {
            out.push_str(if first { r#","entry":[{"# } else { ",{" });
            first = false;
            if let Some(url) = &u.full_url {
                out.push_str(r#""fullUrl":"#);
                quote(url, &mut out);
                out.push(',');
            }
            out.push_str(r#""resource":"#);
            self.emit(u.node, &mut out);
            out.push('}');
        }
        out.push_str(if first { "}" } else { "]}" });
        out.into_bytes()
    }

    /// Writes a node without what was dropped; `false` if nothing is left of it.
    fn emit(&self, node: NodeId, out: &mut String) -> bool {
        if self.drop.contains(&node) {
            return false;
        }
        if let Some(text) = self.replace.get(&node) {
            out.push_str(text);
            return true;
        }
        let tree = self.tree;
        let (open, close) = match tree.kind(node) {
            Kind::Object => ('{', '}'),
            Kind::Array => ('[', ']'),
            _ => {
                let span = tree.span(node);
                let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
                let bytes = tree.source().get(at(span.start)..at(span.end));
                out.push_str(&String::from_utf8_lossy(bytes.unwrap_or_default()));
                return true;
            }
        };
        let start = out.len();
        let mut any = false;
        out.push(open);
        for child in tree.children(node) {
            let before = out.len();
            if any {
                out.push(',');
            }
            if open == '{' {
                quote(&tree.key(child), out);
                out.push(':');
            }
            if self.emit(child, out) {
                any = true;
            } else {
                out.truncate(before);
            }
        }
        out.push(close);
        if !any && tree.children(node).next().is_some() {
            out.truncate(start);
            return false;
        }
        true
    }

    /// Step 12: nothing that was withheld is named in what goes out.
    fn check(&self, bytes: &[u8]) -> Result<(), FilterError> {
        let parsed = parse(bytes, Limits::FHIR, &());
        if !parsed.issues.is_empty() {
            return Err(FilterError::SelfCheck);
        }
        let gone: BTreeSet<String> = self
            .units
            .iter()
            .filter(|u| !u.kept && u.container.is_none())
            .flat_map(|u| {
                u.full_url
                    .iter()
                    .cloned()
                    .chain([format!("{}/{}", u.kind, u.id)])
            })
            .collect();
        let tree = &parsed.tree;
        for node in inside(tree, ROOT) {
            if tree.kind(node) == Kind::String && gone.contains(&*tree.text(node)) {
                return Err(FilterError::SelfCheck);
            }
        }
        Ok(())
    }

    fn result(&self, bytes: Vec<u8>) -> Filtered {
        let mut cats = self.policy.category_codes(self.cats);
        cats.sort_unstable();
        Filtered {
            bytes,
            cats,
            grants: self.grants.iter().cloned().collect(),
            obligations: self.obligations.iter().cloned().collect(),
            withheld: self
                .units
                .iter()
                .filter(|u| {
                    !u.administrative && u.why != Why::Permitted && u.why != Why::NotTold && !u.kept
                })
                .map(|u| Withheld {
                    key: u.item.key.clone(),
                    kind: u.kind.clone(),
                    cats: self.policy.category_codes(u.item.cats),
                    why: u.why,
                })
                .collect(),
        }
    }
}

/// A member that is a string.
pub(crate) fn text_of(tree: &Tree<'_>, node: NodeId, key: &str) -> Option<String> {
    let member = tree.member(node, key)?;
    (tree.kind(member) == Kind::String).then(|| tree.text(member).into_owned())
}

/// Step 3: categories and labels of a resource; labels are absent where the labeller could not judge.
pub(crate) fn classify(
    tree: &Tree<'_>,
    policy: &Policy,
    node: NodeId,
    kind: &str,
) -> (Bits, Option<Bits>) {
    let mut codings: Vec<(String, String)> = Vec::new();
    let mut category: Vec<String> = Vec::new();
    for key in ["code", "type", "category", "meta", "vaccineCode", "event"] {
        let Some(member) = tree.member(node, key) else {
            continue;
        };
        for n in std::iter::once(member).chain(inside(tree, member)) {
            if let Some(code) = text_of(tree, n, "code") {
                let system = text_of(tree, n, "system").unwrap_or_default();
                if key == "category" {
                    category.push(code.clone());
                }
                codings.push((system, code));
            } else if key == "category" && tree.kind(n) == Kind::String {
                category.push(tree.text(n).into_owned());
            }
        }
    }
    let hit = |systems: &[String], prefixes: &[String], list: &[(String, String)]| {
        list.iter()
            .any(|(s, c)| systems.contains(s) && prefixes.iter().any(|p| c.starts_with(p.as_str())))
    };
    let row = policy.matches.iter().find(|m| {
        m.types.iter().any(|t| t == kind)
            && (m.systems.is_empty() || hit(&m.systems, &m.prefixes, &codings))
            && (m.category.is_empty() || category.iter().any(|c| m.category.contains(c)))
    });
    let all: Vec<(String, String)> = inside(tree, node)
        .filter_map(|n| Some((text_of(tree, n, "system")?, text_of(tree, n, "code")?)))
        .collect();
    let mut labels = Bits::NONE;
    let mut judged = false;
    for rule in &policy.label_rules {
        judged |= all.iter().any(|(s, _)| rule.systems.contains(s));
        if hit(&rule.systems, &rule.prefixes, &all) {
            labels = labels.with(Bits::one(rule.label));
        }
    }
    if let Some(security) = tree
        .member(node, "meta")
        .and_then(|m| tree.member(m, "security"))
    {
        for n in tree.children(security) {
            if let Some(label) = text_of(tree, n, "code").and_then(|c| policy.label(&c)) {
                labels = labels.with(Bits::one(label));
                judged = true;
            }
        }
    }
    (row.map_or(Bits::NONE, |m| m.cats), judged.then_some(labels))
}

/// First and last clinical day of a resource.
pub(crate) fn clinical(tree: &Tree<'_>, node: NodeId) -> Option<(Date, Date)> {
    DATES.iter().find_map(|key| {
        let node = tree.member(node, key)?;
        if tree.kind(node) == Kind::String {
            return Date::interval(&tree.text(node));
        }
        let start = Date::interval(&text_of(tree, node, "start")?)?;
        let end = text_of(tree, node, "end").and_then(|e| Date::interval(&e))?;
        Some((start.0, end.1))
    })
}

/// All nodes inside a node, in document order.
fn inside(tree: &Tree<'_>, node: NodeId) -> impl Iterator<Item = NodeId> {
    node + 1..tree.after(node)
}
