//! One validation: its state, how findings are kept, and what is asked of the document.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use warifu_definitions::PackageId;
use warifu_diag::catalogue::fhr;
use warifu_diag::{Code, Severity};
use warifu_fhirpath::{Doc, Env, EvalError, Evaluator, Item, Limits, Program, Services, Value};
use warifu_json::{IssueKind, Kind, NONE, NodeId, Parsed, ROOT};
use warifu_r4::{ElementId, TypeId, Typed, annotate};

use crate::bundle::References;
use crate::finding::{Finding, Findings};
use crate::location::location;
use crate::plan::{At, Plan};
use crate::{Known, Validator};

/// Profiles within each other: no definition at hand nests more than a tenth of it.
pub(crate) const DEPTH: u32 = 48;

/// The document and what services are asked of it.
pub(crate) struct Scope<'d> {
    pub(crate) v: &'d Validator<'d>,
    pub(crate) doc: Doc<'d>,
    pub(crate) references: References,
    /// `conformsTo` within `conformsTo`.
    nested: Cell<u32>,
    /// Steps that are left: of invariants, and of looking for what slices and references name.
    work: Cell<u64>,
    /// Number of the profile whose invariants are asked, for `slice('', name)`.
    pub(crate) asking: Cell<Option<usize>>,
    /// The profile that an invariant asked for last and that is not at hand.
    pub(crate) lacking: Cell<Option<Box<str>>>,
}

/// Steps for a document, and beyond them for each of its values: published examples take below a hundred.
const WORK: u64 = 20_000_000;
const WORK_A_VALUE: u64 = 1_000;

impl Scope<'_> {
    /// Counts steps; whether there are any left.
    pub(crate) fn spend(&self, steps: usize) -> bool {
        let left = self.work.get();
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.work.set(left.saturating_sub(steps));
        left > 0
    }
}

/// The resource that holds an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cx {
    pub(crate) resource: NodeId,
    /// The one that is not contained.
    pub(crate) root: NodeId,
}

/// A finding before it has texts.
#[derive(Debug, Clone)]
pub(crate) struct Raw<'d> {
    pub(crate) code: Code,
    pub(crate) key: Option<&'d str>,
    pub(crate) severity: Severity,
    pub(crate) node: NodeId,
    /// Number of the name of the element that is missing in `node`.
    pub(crate) missing: u16,
    pub(crate) argument: String,
    pub(crate) demand: Option<(&'d Plan, At)>,
    pub(crate) expected: String,
    pub(crate) expression: &'d str,
    pub(crate) found: String,
    pub(crate) is_name: bool,
    pub(crate) reasons: Vec<String>,
}

impl<'d> Raw<'d> {
    pub(crate) fn new(code: Code, node: NodeId) -> Self {
        Self {
            code,
            key: None,
            severity: code.severity,
            node,
            missing: 0,
            argument: String::new(),
            demand: None,
            expected: String::new(),
            expression: "",
            found: String::new(),
            is_name: false,
            reasons: Vec::new(),
        }
    }
    pub(crate) fn with(mut self, argument: impl Into<String>) -> Self {
        self.argument = argument.into();
        self
    }
    pub(crate) fn missing(mut self, name: u16) -> Self {
        self.missing = name;
        self
    }
    pub(crate) fn by(mut self, plan: &'d Plan, at: At) -> Self {
        self.demand = Some((plan, at));
        self
    }
    pub(crate) fn expects(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }
    pub(crate) fn finds(mut self, found: impl Into<String>) -> Self {
        self.found = found.into();
        self
    }
    /// What is found is a name of R4 or a count, no value of the document.
    pub(crate) fn is(mut self, found: impl Into<String>) -> Self {
        self.is_name = true;
        self.finds(found)
    }
    pub(crate) fn because(mut self, reasons: Vec<String>) -> Self {
        self.reasons = reasons;
        self
    }
}

/// A key of an object: its value, and what stands under the key with `_`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) typed: Typed,
    pub(crate) value: NodeId,
    pub(crate) twin: NodeId,
}

/// What is done with a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is kept.
    Report,
    /// Only whether there is an error is wanted.
    Judge,
    /// The first errors are wanted, as reasons of another finding.
    Explain,
}

/// Reasons of one kind that are wanted.
pub(crate) const REASONS: usize = 5;

/// An element of an object: its value, and what stands under the key with `_`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) name: u16,
    pub(crate) value: NodeId,
    pub(crate) twin: NodeId,
}

/// Where an item stands in the document.
pub(crate) trait Place {
    /// Its value, or else what stands beside it.
    fn place(&self) -> NodeId;
}

impl Place for Item {
    fn place(&self) -> NodeId {
        if self.node == NONE {
            self.twin
        } else {
            self.node
        }
    }
}

pub(crate) struct Run<'d> {
    pub(crate) scope: &'d Scope<'d>,
    pub(crate) v: &'d Validator<'d>,
    pub(crate) doc: Doc<'d>,
    pub(crate) evaluator: Evaluator<'d>,
    pub(crate) found: Vec<Raw<'d>>,
    /// Errors among them.
    errors: usize,
    pub(crate) further: usize,
    /// Members of the objects that are open, innermost last.
    pub(crate) members: Vec<Member>,
    pub(crate) mode: Mode,
    /// An error was found, while judging.
    pub(crate) failed: bool,
    /// Errors found, while explaining.
    pub(crate) reasons: Vec<String>,
    /// Elements and profiles being held against each other, innermost last.
    pub(crate) open: Vec<(NodeId, usize)>,
    /// Elements and profiles whose findings are kept.
    pub(crate) reported: BTreeSet<(NodeId, usize)>,
    /// Whether an element follows a profile.
    pub(crate) verdicts: BTreeMap<(NodeId, usize), bool>,
    pub(crate) explanations: BTreeMap<(NodeId, usize), Vec<String>>,
    /// Elements and profiles seen by this explanation.
    pub(crate) explained: BTreeSet<(NodeId, usize)>,
    /// Ids of elements of the resources that are open.
    pub(crate) element_ids: Vec<NodeId>,
    /// Elements of the objects that are open in profiles, innermost last.
    pub(crate) parts: Vec<Part>,
    /// Lists that are not in use.
    pub(crate) spare: Vec<Vec<Item>>,
    pub(crate) depth: u32,
    /// Whether a resource around claims a profile.
    pub(crate) claims: bool,
}

pub(crate) fn document(v: &Validator<'_>, parsed: &Parsed<'_>) -> Findings {
    document_and_work(v, parsed).0
}

/// The findings, and the steps that they took.
fn document_and_work(v: &Validator<'_>, parsed: &Parsed<'_>) -> (Findings, u64) {
    let tree = &parsed.tree;
    let typed = annotate(v.core, tree, None);
    let doc = Doc {
        tree,
        typed: &typed,
    };
    let scope = Scope {
        v,
        doc,
        references: References::new(v, doc),
        nested: Cell::new(0),
        work: Cell::new(WORK + WORK_A_VALUE * u64::from(tree.len())),
        asking: Cell::new(None),
        lacking: Cell::new(None),
    };
    let mut run = Run::new(&scope);
    let mut findings = Run::syntax(parsed);
    findings.further += findings.list.len().saturating_sub(v.options.most);
    findings.list.truncate(v.options.most);
    let work = scope.work.get();
    if !tree.is_empty() {
        run.root();
        if scope.work.get() == 0 {
            let why = EvalError::Limit.to_string();
            run.found.push(Raw::new(&fhr::FHR308, ROOT).with(why));
        }
        run.finish(&mut findings);
    }
    if findings.further > 0 {
        let more = Finding::of(&fhr::FHR309, 0..1, findings.further.to_string());
        findings.list.insert(0, more);
    }
    (findings, work - scope.work.get())
}

/// Keeps so many, the gravest of them, in their order.
fn keep_gravest(all: &mut Vec<Finding>, most: usize) {
    let mut room = most;
    let mut left = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| {
        let count = all.iter().filter(|f| f.severity == severity).count();
        let count = count.min(room);
        room -= count;
        (severity, count)
    });
    all.retain(|f| {
        let own = left.iter_mut().find(|(s, n)| *s == f.severity && *n > 0);
        own.map(|(_, n)| *n -= 1).is_some()
    });
}

impl<'d> Run<'d> {
    fn new(scope: &'d Scope<'d>) -> Self {
        let mut env = Env::new(scope.doc);
        env.services = scope;
        Self {
            scope,
            v: scope.v,
            doc: scope.doc,
            evaluator: Evaluator::new(&scope.v.engine, env),
            found: Vec::new(),
            errors: 0,
            further: 0,
            members: Vec::new(),
            mode: Mode::Report,
            failed: false,
            reasons: Vec::new(),
            open: Vec::new(),
            reported: BTreeSet::new(),
            verdicts: BTreeMap::new(),
            explanations: BTreeMap::new(),
            explained: BTreeSet::new(),
            element_ids: Vec::new(),
            parts: Vec::new(),
            spare: Vec::new(),
            depth: 0,
            claims: false,
        }
    }

    /// What the parser says.
    fn syntax(parsed: &Parsed<'_>) -> Findings {
        let mut findings = Findings {
            further: parsed.further_issues,
            ..Findings::default()
        };
        for issue in &parsed.issues {
            let (code, argument): (Code, &str) = match issue.kind {
                IssueKind::ByteOrderMark => (&fhr::FHR013, ""),
                IssueKind::DuplicateKey { .. } => (&fhr::FHR010, ""),
                IssueKind::InvalidUtf8 => (&fhr::FHR001, "UTF-8"),
                IssueKind::Empty => (&fhr::FHR001, "no value"),
                IssueKind::EndOfInput => (&fhr::FHR001, "end of input"),
                IssueKind::TrailingComma => (&fhr::FHR001, "trailing comma"),
                IssueKind::ControlCharacter => (&fhr::FHR001, "control character"),
                IssueKind::BadEscape => (&fhr::FHR001, "escape"),
                IssueKind::LoneSurrogate => (&fhr::FHR001, "surrogate"),
                IssueKind::BadNumber => (&fhr::FHR001, "number"),
                IssueKind::TooDeep => (&fhr::FHR307, ""),
                IssueKind::TooLarge => (&fhr::FHR308, "too large"),
                IssueKind::TrailingData => (&fhr::FHR001, "trailing data"),
                _ => (&fhr::FHR001, "syntax"),
            };
            let span = issue.span.clone();
            findings
                .list
                .push(Finding::of(code, span, argument.to_owned()));
        }
        findings
    }

    fn root(&mut self) {
        self.resource(ROOT, None);
        if self.doc.tree.kind(ROOT) != Kind::Object {
            return;
        }
        let v = self.v;
        let item = self.item_of(ROOT);
        let cx = Cx {
            resource: ROOT,
            root: ROOT,
        };
        for profile in &v.options.profiles {
            self.claimed(profile, item, ROOT, cx, true);
        }
    }

    pub(crate) fn report(&mut self, raw: Raw<'d>) {
        match self.mode {
            Mode::Report => {
                let is_error = raw.severity == Severity::Error;
                // Errors have room of their own: what is less grave does not crowd them out.
                if self.has_room() || (is_error && self.errors < self.room()) {
                    self.errors += usize::from(is_error);
                    self.found.push(raw);
                } else {
                    self.further += 1;
                }
            }
            Mode::Judge => self.failed |= raw.severity == Severity::Error,
            Mode::Explain => {
                if raw.severity == Severity::Error && self.reasons.len() < REASONS {
                    let code = raw.key.unwrap_or(raw.code.code);
                    self.reasons.push(format!("{code} {}", raw.argument));
                }
            }
        }
    }

    /// Findings that are kept until they are merged: there is some to spare.
    fn room(&self) -> usize {
        self.v.options.most.saturating_mul(4)
    }

    /// Whether a further finding would be kept.
    pub(crate) fn has_room(&self) -> bool {
        self.found.len() < self.room()
    }

    pub(crate) fn typed(&self, node: NodeId) -> Typed {
        usize::try_from(node)
            .ok()
            .and_then(|n| self.doc.typed.get(n))
            .copied()
            .unwrap_or(Typed::UNKNOWN)
    }

    pub(crate) fn item_of(&self, node: NodeId) -> Item {
        Item {
            node,
            twin: NONE,
            of: self.typed(node).of,
            doc: 0,
        }
    }

    pub(crate) fn is_resource(&self, of: TypeId) -> bool {
        self.v.is_resource(of)
    }

    /// The surroundings of a node.
    pub(crate) fn around(&self, node: NodeId) -> Cx {
        let tree = self.doc.tree;
        let mut inner = NONE;
        let mut at = node;
        while at != NONE {
            if tree.kind(at) == Kind::Object && self.is_resource(self.typed(at).of) {
                if inner == NONE {
                    inner = at;
                }
                let contained = tree.parent(at) != NONE
                    && self.typed(tree.parent(at)).name == self.v.ids.contained;
                if !contained {
                    return Cx {
                        resource: inner,
                        root: at,
                    };
                }
            }
            at = tree.parent(at);
        }
        let inner = if inner == NONE { ROOT } else { inner };
        Cx {
            resource: inner,
            root: inner,
        }
    }

    /// Text of a value as it may be shown.
    pub(crate) fn show(&self, node: NodeId) -> String {
        let tree = self.doc.tree;
        match tree.kind(node) {
            Kind::Object | Kind::Array => String::new(),
            _ => tree.text(node).chars().take(200).collect(),
        }
    }

    /// What stands where a finding is, and whether it tells nothing of a person.
    fn found_at(&self, raw: &Raw<'_>) -> (String, bool) {
        let found = if raw.found.is_empty() && raw.missing == 0 {
            self.show(raw.node)
        } else {
            raw.found.clone()
        };
        let own = self.doc.tree.name(raw.node);
        let ids = &self.v.ids;
        let mut bytes = found.bytes();
        let is_name = raw.is_name
            || own == ids.resource_type && bytes.all(|b| b.is_ascii_alphabetic())
            || own == ids.status && bytes.all(|b| b.is_ascii_lowercase() || b == b'-');
        (found, is_name)
    }

    /// Whether an expression holds for an element.
    pub(crate) fn holds(
        &mut self,
        program: &'d Program,
        item: Item,
        cx: Cx,
    ) -> Result<bool, EvalError> {
        let (resource, root) = (self.item_of(cx.resource), self.item_of(cx.root));
        let env = self.evaluator.env_mut();
        env.resource = Some(resource);
        env.root_resource = Some(root);
        self.scope.lacking.set(None);
        let left = self.scope.work.get();
        env.limits.work = left.min(Limits::DEFAULT.work);
        let held = self.evaluator.holds(program, Value::Item(item));
        // What `conformsTo()` and `slice()` took is counted already.
        let left = self.scope.work.get();
        self.scope
            .work
            .set(left.saturating_sub(self.evaluator.spent()));
        held
    }

    /// Merges and words what was found.
    /// The element of R4 that a node is, or the one that it misses; of a resource its type.
    fn definition_of(&self, node: NodeId, missing: u16) -> Option<String> {
        let core = self.v.core;
        let typed = self.typed(node);
        if typed.of == TypeId::NONE {
            return None;
        }
        let mut path = if missing != 0 || typed.element == ElementId::NONE {
            core.type_(typed.of).name().to_owned()
        } else {
            core.element(typed.element).path()
        };
        if missing != 0 {
            path.push('.');
            path.push_str(core.name_text(missing));
        }
        Some(path)
    }

    fn finish(mut self, findings: &mut Findings) {
        findings.further += self.further;
        let doc = self.doc;
        let core = self.v.core;
        let found = std::mem::take(&mut self.found);
        let mut merged: BTreeMap<(u32, NodeId, u16, String, String, String), Finding> =
            BTreeMap::new();
        for raw in found {
            let tree = doc.tree;
            let whole = tree.span(raw.node);
            let span = match tree.kind(raw.node) {
                Kind::Object | Kind::Array => {
                    let key = tree.key_span(raw.node);
                    if key.is_empty() {
                        whole.start..whole.start + 1
                    } else {
                        key
                    }
                }
                _ => whole,
            };
            // Families say the same of one element with the same number.
            let number = raw.code.code.get(3..).unwrap_or_default();
            let family = if number.starts_with('4') {
                number
            } else {
                raw.code.code
            };
            let key = (
                span.start,
                raw.node,
                raw.missing,
                format!("{family}{}", raw.key.unwrap_or_default()),
                raw.argument.clone(),
                raw.expected.clone(),
            );
            let profile = raw.demand.map(|(plan, _)| {
                let s = &plan.structure;
                if s.version.is_empty() {
                    s.url.to_string()
                } else {
                    format!("{}|{}", s.url, s.version)
                }
            });
            if let Some(before) = merged.get_mut(&key) {
                before.severity = before.severity.max(raw.severity);
                if let Some(profile) = profile
                    && !before.profiles.contains(&profile)
                {
                    before.profiles.push(profile);
                }
                continue;
            }
            let mut place = location(core, doc, raw.node);
            if raw.missing != 0 {
                place.push('.');
                place.push_str(core.name_text(raw.missing));
            }
            let element = match raw.demand {
                Some((plan, at)) => plan.nodes.get(at).map(|n| n.id.to_string()),
                None => self.definition_of(raw.node, raw.missing),
            };
            let (found, is_name) = self.found_at(&raw);
            merged.insert(
                key,
                Finding {
                    code: raw.code,
                    key: raw.key.map(Into::into),
                    severity: raw.severity,
                    span,
                    location: place,
                    argument: raw.argument,
                    profiles: profile.into_iter().collect(),
                    element: element.unwrap_or_default(),
                    expected: raw.expected,
                    expression: raw.expression.to_owned(),
                    found,
                    is_name,
                    reasons: raw.reasons,
                },
            );
        }
        let room = self.v.options.most.saturating_sub(findings.list.len());
        findings.further += merged.len().saturating_sub(room);
        let mut all: Vec<Finding> = merged.into_values().collect();
        if all.len() > room {
            keep_gravest(&mut all, room);
        }
        findings.list.extend(all);
    }
}

impl<'d> Services<'d> for Scope<'d> {
    fn resolve(&self, reference: &str, from: Item) -> Option<Item> {
        let node = self
            .references
            .resolve(self.v, self.doc, reference, from.node)?;
        let of = usize::try_from(node)
            .ok()
            .and_then(|n| self.doc.typed.get(n))
            .map_or(TypeId::NONE, |t| t.of);
        Some(Item {
            node,
            twin: NONE,
            of,
            doc: 0,
        })
    }

    fn member_of(&self, system: Option<&str>, code: &str, value_set: &str) -> Option<bool> {
        use warifu_definitions::{Code, Membership};
        let code = Code {
            system,
            version: None,
            code,
            display: None,
        };
        match self
            .v
            .terminology
            .member(value_set, None::<PackageId>, code)
        {
            Membership::In => Some(true),
            Membership::NotIn => Some(false),
            Membership::NotChecked(_) | Membership::UnknownValueSet => None,
        }
    }

    fn slice(&self, element: Item, structure: &str, name: &str) -> Option<Vec<Item>> {
        let plan = if structure.is_empty() {
            self.v.plans.cell(self.asking.get()?)?.get()?
        } else {
            match self.v.known(structure, None) {
                Known::Profile(plan) => plan,
                Known::Type(_) | Known::Unknown | Known::Missing => {
                    self.lacking.set(Some(structure.into()));
                    return None;
                }
            }
        };
        if self.nested.get() > 8 {
            return None;
        }
        self.nested.set(self.nested.get() + 1);
        let mut run = Run::new(self);
        let cx = run.around(element.place());
        let is = run.is_of_slice(element, plan, name, cx);
        self.nested.set(self.nested.get() - 1);
        Some(if is? { vec![element] } else { Vec::new() })
    }

    fn conforms_to(&self, element: Item, profile: &str) -> Option<bool> {
        let known = self.v.known(profile, None);
        if matches!(known, Known::Unknown | Known::Missing)
            || Validator::other_version(profile, known).is_some()
        {
            self.lacking.set(Some(profile.into()));
            return None;
        }
        match known {
            Known::Type(of) => Some(self.v.core.is_a(element.of, of)),
            Known::Profile(plan) => {
                if self.nested.get() > 8 {
                    return None;
                }
                self.nested.set(self.nested.get() + 1);
                let mut run = Run::new(self);
                let cx = run.around(element.node);
                let conforms = run.conforms(element, plan, cx);
                self.nested.set(self.nested.get() - 1);
                Some(conforms)
            }
            Known::Unknown | Known::Missing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use warifu_json::{Limits as Bounds, parse};

    use super::*;
    use crate::{CoreOnly, Options};

    /// Steps that a document takes, findings kept, and findings beyond.
    fn work(source: &str) -> (u64, usize, usize) {
        let options = Options {
            most: 100,
            ..Options::default()
        };
        let v = Validator::new(CoreOnly, CoreOnly, options);
        let parsed = parse(source.as_bytes(), Bounds::FHIR, v.core);
        let (findings, work) = document_and_work(&v, &parsed);
        (work, findings.list.len(), findings.further)
    }

    /// Documents of `count` items: four times the items take four times the steps, or fewer.
    fn check(name: &str, document: impl Fn(usize) -> String) {
        let (few, many) = (work(&document(500)), work(&document(2_000)));
        assert!(few.0 > 0 && many.0 <= 5 * few.0, "{name}: {few:?} {many:?}");
        assert!(many.1 <= 101, "{name}: {many:?}");
    }

    fn list(count: usize, item: impl Fn(usize) -> String) -> String {
        let mut all = String::new();
        for n in 0..count {
            let comma = if n == 0 { "" } else { "," };
            let _ = write!(all, "{comma}{}", item(n));
        }
        all
    }

    #[test]
    fn steps_grow_with_the_document_and_no_faster() {
        check("entries that refer to each other", |count| {
            let entries = list(count, |n| {
                format!(
                    r#"{{"fullUrl": "http://h.jp/Patient/{n}", "resource": {{"resourceType": "Patient",
                    "id": "{n}", "link": [{{"other": {{"reference": "Patient/{}"}}, "type": "refer"}}]}}}}"#,
                    count - n
                )
            });
            format!(r#"{{"resourceType": "Bundle", "type": "document", "entry": [{entries}]}}"#)
        });
        check("findings in one array", |count| {
            let items = list(count, |_| r#"{"use": "nope", "x": 1}"#.to_owned());
            format!(r#"{{"resourceType": "Patient", "identifier": [{items}]}}"#)
        });
        check("unknown keys around extensions", |count| {
            let keys = list(count, |n| format!(r#""k{n}": 1"#));
            let items = list(count, |_| r#"{"url": "http://e.x/a"}"#.to_owned());
            format!(r#"{{"resourceType": "Patient", {keys}, "extension": [{items}]}}"#)
        });
        check("contained resources and references to them", |count| {
            let contained = list(count, |n| {
                format!(r#"{{"resourceType": "Organization", "id": "o{n}"}}"#)
            });
            let items = list(count, |n| format!(r##"{{"reference": "#o{n}"}}"##));
            format!(
                r#"{{"resourceType": "Patient", "contained": [{contained}], "generalPractitioner": [{items}]}}"#
            )
        });
        check("resources within resources", |count| {
            let deep = 40;
            let open = r#"{"resourceType": "Bundle", "type": "collection", "entry": [{"resource":"#;
            let items = list(count, |n| format!(r#"{{"value": "{n}"}}"#));
            let patient = format!(r#"{{"resourceType": "Patient", "identifier": [{items}]}}"#);
            format!("{}{patient}{}", open.repeat(deep), "}]}".repeat(deep))
        });
        check("a concept of many codes", |count| {
            let codes = list(count, |n| {
                format!(r#"{{"system": "http://e.x", "code": "{n}"}}"#)
            });
            format!(r#"{{"resourceType": "Patient", "maritalStatus": {{"coding": [{codes}]}}}}"#)
        });
        check("keys twice", |count| {
            let keys = list(count, |_| r#""gender": "male""#.to_owned());
            format!(r#"{{"resourceType": "Patient", {keys}}}"#)
        });
    }

    /// A Bundle of patients and results, some of which are wrong, of so many entries.
    fn hospital(count: usize) -> String {
        let entries = list(count, |n| {
            let id = n / 2;
            let resource = if n % 2 == 0 {
                format!(
                    r#"{{"resourceType": "Patient", "id": "p{id}", "active": true,
                    "text": {{"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">{id}</div>"}},
                    "identifier": [{{"system": "http://h.jp/patient", "value": "{id:010}"}}],
                    "name": [{{"use": "official", "text": "試験 花子", "family": "試験", "given": ["花子"],
                    "extension": [{{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "IDE"}}]}}],
                    "gender": "{}", "birthDate": "1968-03-03", "telecom": [{{"system": "phone", "value": "03-0000-0000"}}],
                    "address": [{{"text": "東京都千代田区千代田１−１", "postalCode": "100-0001", "country": "JP"}}]}}"#,
                    if id % 100 == 0 { "F" } else { "female" }
                )
            } else {
                format!(
                    r#"{{"resourceType": "Observation", "id": "o{id}", "status": "final",
                    "category": [{{"coding": [{{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}}]}}],
                    "code": {{"coding": [{{"system": "urn:oid:1.2.392.200119.4.504", "code": "3A010000002327101", "display": "総蛋白"}}], "text": "総蛋白"}},
                    "subject": {{"reference": "Patient/p{id}"}}, "effectiveDateTime": "2026-04-01T08:50:00+09:00",
                    "valueQuantity": {{"value": 7.2, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"}},
                    "referenceRange": [{{"low": {{"value": 6.6}}, "high": {{"value": 8.1}}}}]}}"#
                )
            };
            let (of, letter) = if n % 2 == 0 {
                ("Patient", 'p')
            } else {
                ("Observation", 'o')
            };
            format!(
                r#"{{"fullUrl": "http://h.jp/fhir/{of}/{letter}{id}", "resource": {resource}}}"#
            )
        });
        format!(r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{entries}]}}"#)
    }

    #[test]
    fn a_bundle_of_fifty_megabytes_takes_no_more_steps_a_byte_than_a_small_one() {
        let (small, large) = (hospital(4_000), hospital(64_000));
        assert!(large.len() >= 50_000_000, "{}", large.len());
        let (few, many) = (work(&small), work(&large));
        let a_byte = |steps: u64, source: &str| {
            steps * 1_000 / u64::try_from(source.len()).unwrap_or(u64::MAX)
        };
        let (few_a_byte, many_a_byte) = (a_byte(few.0, &small), a_byte(many.0, &large));
        assert!(
            few_a_byte > 0 && many_a_byte * 100 <= few_a_byte * 105,
            "{few:?} {many:?}"
        );
        // Every hundredth patient is wrong, in two ways; what is not kept is counted.
        assert_eq!(many.1, 101, "{many:?}");
        assert!(many.2 >= 500, "{many:?}");
    }

    #[test]
    fn work_that_is_a_product_ends_at_a_limit_and_is_said() {
        let document = |count: usize| {
            let codes = list(count, |n| {
                format!(r#"{{"system": "http://e.x", "code": "{n}"}}"#)
            });
            let parts = list(count, |n| {
                format!(
                    r#"{{"code": {{"coding": [{{"system": "http://e.y", "code": "{n}"}}]}}, "valueInteger": 1}}"#
                )
            });
            format!(
                r#"{{"resourceType": "Observation", "status": "final", "valueInteger": 1,
                "code": {{"coding": [{codes}]}}, "component": [{parts}]}}"#
            )
        };
        let v = Validator::new(CoreOnly, CoreOnly, Options::default());
        let source = document(20_000);
        let parsed = parse(source.as_bytes(), Bounds::FHIR, v.core);
        let (findings, work) = document_and_work(&v, &parsed);
        assert!(work <= WORK + WORK_A_VALUE * u64::from(parsed.tree.len()));
        let said = |f: &Finding| f.code.code == "FHR308" && f.argument.starts_with("obs-7");
        assert!(findings.list.iter().any(said));
    }

    #[test]
    fn a_million_findings_are_counted_and_few_are_kept() {
        let items = list(1_000_000, |_| "1".to_owned());
        let source = format!(r#"{{"resourceType": "Patient", "identifier": [{items}]}}"#);
        let (_, kept, further) = work(&source);
        // And one that says that there are more.
        assert_eq!(kept, 101);
        assert!(further >= 999_900, "{further}");
    }

    #[test]
    fn an_error_is_kept_when_there_is_too_much_else() {
        let extensions = list(2_000, |_| {
            r#"{"url": "http://e.x/a", "valueBoolean": true}"#.to_owned()
        });
        let source = format!(
            r#"{{"resourceType": "Patient", "extension": [{extensions}], "gender": "nope"}}"#
        );
        let options = Options {
            most: 100,
            ..Options::default()
        };
        let found = Validator::new(CoreOnly, CoreOnly, options).validate(source.as_bytes());
        let is = |code: &'static str| move |f: &Finding| f.code.code == code;
        assert!(found.list.iter().any(is("FHR101")));
        let more = found.list.iter().find(|f| f.code.code == "FHR309");
        assert_eq!(
            more.map(|f| f.argument.as_str()),
            Some(&*found.further.to_string())
        );
        let spans: Vec<u32> = found.list.iter().map(|f| f.span.start).collect();
        assert!(spans.is_sorted(), "{spans:?}");
    }

    #[test]
    fn a_document_of_too_many_values_is_said_to_be_read_in_part() {
        let v = Validator::new(CoreOnly, CoreOnly, Options::default());
        let bounds = Bounds {
            nodes: 10,
            ..Bounds::FHIR
        };
        let items = list(20, |n| format!(r#"{{"value": "{n}"}}"#));
        let source = format!(r#"{{"resourceType": "Patient", "identifier": [{items}]}}"#);
        let (findings, _) = document_and_work(&v, &parse(source.as_bytes(), bounds, v.core));
        let said = findings.list.iter().find(|f| f.code.code == "FHR308");
        let said = said.map(|f| (f.argument.as_str(), f.severity, f.span.start > 40));
        assert_eq!(said, Some(("too large", Severity::Warning, true)));
    }

    #[test]
    fn a_long_text_is_shown_by_its_beginning() {
        let text = "x".repeat(5_000_000);
        let source = format!(r#"{{"resourceType": "Patient", "gender": "{text}"}}"#);
        let v = Validator::new(CoreOnly, CoreOnly, Options::default());
        let found = v.validate(source.as_bytes());
        assert!(found.list.iter().any(|f| f.code.code == "FHR101"));
        for f in &found.list {
            assert!(
                f.found.len() + f.expected.len() + f.argument.len() < 2_000,
                "{f:?}"
            );
        }
    }
}
