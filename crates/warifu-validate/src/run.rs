//! One validation: its state, how findings are kept, and what is asked of the document.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use warifu_definitions::PackageId;
use warifu_diag::catalogue::fhr;
use warifu_diag::{Code, Severity};
use warifu_fhirpath::{Doc, Env, EvalError, Evaluator, Item, Limits, Program, Services, Value};
use warifu_json::{IssueKind, Kind, NONE, NodeId, Parsed, ROOT};
use warifu_r4::{TypeId, Typed, annotate};

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
    /// Steps that are left for invariants.
    work: Cell<u64>,
}

/// Steps for the invariants of a document, and beyond them for each of its values: what FHIR's own
/// invariants take is below a hundred.
const WORK: u64 = 100_000_000;
const WORK_A_VALUE: u64 = 1_000;

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
    pub(crate) found: String,
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
            found: String::new(),
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
    /// Elements of the objects that are open in profiles, innermost last.
    pub(crate) parts: Vec<Part>,
    /// Lists that are not in use.
    pub(crate) spare: Vec<Vec<Item>>,
    pub(crate) depth: u32,
    /// Whether a resource around claims a profile.
    pub(crate) claims: bool,
}

pub(crate) fn document(v: &Validator<'_>, parsed: &Parsed<'_>) -> Findings {
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
    };
    let mut run = Run::new(&scope);
    let mut findings = Run::syntax(parsed);
    if tree.is_empty() {
        return findings;
    }
    run.root();
    run.finish(&mut findings);
    findings
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
                IssueKind::TooLarge => (&fhr::FHR001, "too large"),
                IssueKind::TrailingData => (&fhr::FHR001, "trailing data"),
                _ => (&fhr::FHR001, "syntax"),
            };
            findings.list.push(Finding {
                code,
                key: None,
                severity: code.severity,
                span: issue.span.clone(),
                location: String::new(),
                argument: argument.to_owned(),
                profiles: Vec::new(),
                element: String::new(),
                expected: String::new(),
                found: String::new(),
                reasons: Vec::new(),
            });
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
            Mode::Report if self.has_room() => self.found.push(raw),
            Mode::Report => self.further += 1,
            Mode::Judge => self.failed |= raw.severity == Severity::Error,
            Mode::Explain => {
                if raw.severity == Severity::Error && self.reasons.len() < REASONS {
                    let code = raw.key.unwrap_or(raw.code.code);
                    self.reasons.push(format!("{code} {}", raw.argument));
                }
            }
        }
    }

    /// Whether a further finding would be kept: merging comes at the end, so there is some to spare.
    pub(crate) fn has_room(&self) -> bool {
        self.found.len() < self.v.options.most.saturating_mul(4)
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
        let left = self.scope.work.get();
        env.limits.work = left.min(Limits::DEFAULT.work);
        let held = self.evaluator.holds(program, Value::Item(item));
        self.scope
            .work
            .set(left.saturating_sub(self.evaluator.spent()));
        held
    }

    /// Merges and words what was found.
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
            let element = raw
                .demand
                .and_then(|(plan, at)| plan.nodes.get(at))
                .map(|n| n.id.to_string())
                .unwrap_or_default();
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
                    element,
                    expected: raw.expected,
                    found: raw.found,
                    reasons: raw.reasons,
                },
            );
        }
        let room = self.v.options.most.saturating_sub(findings.list.len());
        findings.further += merged.len().saturating_sub(room);
        findings.list.extend(merged.into_values().take(room));
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

    fn conforms_to(&self, element: Item, profile: &str) -> Option<bool> {
        match self.v.known(profile, None) {
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
