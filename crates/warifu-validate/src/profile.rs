//! What profiles demand.

use warifu_definitions::Rules;
use warifu_diag::catalogue::fhr;
use warifu_diag::catalogue::profile::{Demand, code};
use warifu_fhirpath::{Dec, Item, Quantity};
use warifu_json::{Kind, NONE, NodeId, Tree};
use warifu_r4::{Core, ElementId, TypeId};

use crate::Known;
use crate::base::{Broken, Verdict};
use crate::discriminator::{Step, Test, Want, show_steps};
use crate::native::{KEYS, member};
use crate::plan::{At, Node, Plan, Slices, TypeRule};
use crate::rules::UCUM;
use crate::run::{Cx, DEPTH, Mode, Part, Place, REASONS, Raw, Run};
use crate::value::Json;

impl<'d> Run<'d> {
    /// Reports where an element does not follow a profile.
    pub(crate) fn conform(&mut self, item: Item, plan: &'d Plan, cx: Cx) {
        let key = (item.place(), plan.number);
        match self.mode {
            Mode::Report => {
                if !self.reported.insert(key) {
                    return;
                }
            }
            Mode::Judge => {
                self.failed |= !self.conforms(item, plan, cx);
                return;
            }
            Mode::Explain => {
                if !self.explained.insert(key) {
                    return;
                }
            }
        }
        self.inside(item, plan, cx);
    }

    /// Whether an element follows a profile: yes while that is being looked for.
    pub(crate) fn conforms(&mut self, item: Item, plan: &'d Plan, cx: Cx) -> bool {
        let key = (item.place(), plan.number);
        if let Some(known) = self.verdicts.get(&key) {
            return *known;
        }
        if self.open.contains(&key) {
            return true;
        }
        let mode = std::mem::replace(&mut self.mode, Mode::Judge);
        let failed = std::mem::replace(&mut self.failed, false);
        self.inside(item, plan, cx);
        let conforms = !self.failed;
        (self.mode, self.failed) = (mode, failed);
        self.verdicts.insert(key, conforms);
        conforms
    }

    /// Holds an element against a profile, unless that is being done.
    fn inside(&mut self, item: Item, plan: &'d Plan, cx: Cx) {
        let key = (item.place(), plan.number);
        if self.open.contains(&key) {
            return;
        }
        if self.depth >= DEPTH {
            self.report(Raw::new(&fhr::FHR307, item.place()).by(plan, 0));
            return;
        }
        self.open.push(key);
        self.depth += 1;
        self.node(item, plan, 0, cx);
        self.depth -= 1;
        self.open.pop();
    }

    /// Whether nothing more needs to be found.
    fn is_settled(&self) -> bool {
        match self.mode {
            Mode::Report => false,
            Mode::Judge => self.failed,
            Mode::Explain => self.reasons.len() >= REASONS,
        }
    }

    fn demand(plan: &'d Plan, at: At, demand: Demand, node: NodeId) -> Raw<'d> {
        let id = plan.nodes.get(at).map_or("", |n| &n.id);
        Raw::new(code(&plan.structure.url, demand), node)
            .with(id)
            .by(plan, at)
    }

    /// Holds an element against a node of a plan.
    fn node(&mut self, item: Item, plan: &'d Plan, at: At, cx: Cx) {
        let Some(node) = plan.nodes.get(at) else {
            return;
        };
        self.scope.spend(1);
        let tree = self.doc.tree;
        let place = item.place();
        if !node.types.is_empty() {
            self.types(item, plan, at, node, cx);
        }
        if let Some(fixed) = &node.fixed
            && (item.node == NONE || !fixed.is(tree, item.node))
        {
            let raw = Self::demand(plan, at, Demand::Fixed, place);
            let found = self.show(item.node);
            self.report(raw.expects(fixed.show()).finds(found));
        }
        if let Some(pattern) = &node.pattern
            && (item.node == NONE || !pattern.is_in(tree, item.node))
        {
            let raw = Self::demand(plan, at, Demand::Pattern, place);
            let found = self.show(item.node);
            self.report(raw.expects(pattern.show()).finds(found));
        }
        if item.node != NONE {
            if let Some(max) = node.max_length
                && tree.kind(item.node) == Kind::String
                && tree.text(item.node).chars().count() > usize::try_from(max).unwrap_or(usize::MAX)
            {
                let raw = Self::demand(plan, at, Demand::Length, place);
                self.report(raw.expects(max.to_string()));
            }
            for (bound, least) in [(&node.least, true), (&node.greatest, false)] {
                let Some(bound) = bound else { continue };
                let is_out = match bound {
                    Json::Object(_) if tree.kind(item.node) != Kind::Object => Some(false),
                    Json::Object(_) => is_quantity_out(tree, item.node, bound, least),
                    _ => Some(out_of_range(&tree.text(item.node), bound, least)),
                };
                let raw = match is_out {
                    Some(false) => continue,
                    Some(true) => Self::demand(plan, at, Demand::Range, place),
                    None => Raw::new(&fhr::FHR310, place).with(&*node.id).by(plan, at),
                };
                let sign = if least { ">=" } else { "<=" };
                self.report(raw.expects(format!("{sign} {}", bound.show())));
            }
        }
        if let Some(binding) = &node.binding {
            let demand = Some((plan, at));
            let package = plan.structure.package;
            self.bound(item, &binding.value_set, binding.strength, package, demand);
            if let Some(max) = &binding.max_value_set {
                let strength = warifu_definitions::Strength::Required;
                self.bound(item, max, strength, package, demand);
            }
        }
        for rule in &node.invariants {
            if self.is_settled() {
                return;
            }
            let before = self.scope.asking.replace(Some(plan.number));
            let held = self.holds(&rule.program, item, cx);
            self.scope.asking.set(before);
            if held == Ok(true) {
                continue;
            }
            let c = &rule.constraint;
            let broken = Broken {
                key: &c.key,
                human: &c.human,
                expression: &c.expression,
                is_error: c.is_error,
            };
            self.broken(held, item, &broken, Some((plan, at)));
        }
        self.children(item, plan, at, cx);
        if let Some(content) = node.content
            && self.depth < DEPTH
        {
            self.depth += 1;
            self.children(item, plan, content, cx);
            self.depth -= 1;
        }
    }

    fn children(&mut self, item: Item, plan: &'d Plan, at: At, cx: Cx) {
        let Some(node) = plan.nodes.get(at) else {
            return;
        };
        if node.children.is_empty() {
            return;
        }
        let start = self.parts.len();
        self.take_apart(item);
        let end = self.parts.len();
        for child in &node.children {
            if self.is_settled() {
                break;
            }
            let Some(own) = plan.nodes.get(*child) else {
                continue;
            };
            let parts = self.parts.get(start..end).unwrap_or_default();
            let part = parts.iter().find(|p| p.name == own.name).copied();
            let mut items = self.spare.pop().unwrap_or_default();
            if let Some(part) = part {
                self.items(part, &mut items);
            }
            self.elements(item, plan, *child, own, &items, cx);
            items.clear();
            self.spare.push(items);
        }
        self.parts.truncate(start);
    }

    /// The object that holds an item's elements.
    fn owner(&self, parent: Item) -> NodeId {
        let owner = if self.is_complex(parent.of) || parent.twin == NONE {
            parent.node
        } else {
            parent.twin
        };
        if self.doc.tree.kind(owner) == Kind::Object {
            owner
        } else {
            NONE
        }
    }

    /// Pushes the elements of an item, value and twin together.
    fn take_apart(&mut self, parent: Item) {
        let tree = self.doc.tree;
        let owner = self.owner(parent);
        if owner == NONE {
            return;
        }
        let start = self.parts.len();
        let mut seen = 0;
        for child in tree.children(owner) {
            seen += 1;
            let typed = self.typed(child);
            if typed.element == ElementId::NONE {
                continue;
            }
            let is_twin = tree.is_twin(child);
            let known = self.parts.get_mut(start..).unwrap_or_default();
            let known = known.iter_mut().find(|p| p.name == typed.name);
            match (known, is_twin) {
                (Some(part), true) => part.twin = child,
                (Some(part), false) if part.value == NONE => part.value = child,
                (Some(_), false) => {}
                (None, _) => self.parts.push(Part {
                    name: typed.name,
                    value: if is_twin { NONE } else { child },
                    twin: if is_twin { child } else { NONE },
                }),
            }
        }
        self.scope.spend(seen);
    }

    /// Elements of that name within an element.
    fn collect(&self, parent: Item, name: u16, items: &mut Vec<Item>) {
        let tree = self.doc.tree;
        let owner = self.owner(parent);
        if owner == NONE {
            return;
        }
        let mut part = Part {
            name,
            value: NONE,
            twin: NONE,
        };
        let mut seen = 1;
        for child in tree.children(owner).take(KEYS) {
            seen += 1;
            if self.typed(child).name == name {
                if tree.is_twin(child) {
                    part.twin = child;
                } else if part.value == NONE {
                    part.value = child;
                }
            }
        }
        // What cannot be paid for is not found: the document is too large for what its profiles ask.
        if self.scope.spend(seen) {
            self.items(part, items);
            self.scope.spend(items.len());
        }
    }

    /// The items of an element.
    fn items(&self, part: Part, items: &mut Vec<Item>) {
        let tree = self.doc.tree;
        let Part { value, twin, .. } = part;
        let first = if value == NONE { twin } else { value };
        if first == NONE {
            return;
        }
        let null = |node: NodeId| {
            if node != NONE && tree.kind(node) == Kind::Null {
                NONE
            } else {
                node
            }
        };
        let mut push = |value: NodeId, twin: NodeId| {
            let (node, twin) = (null(value), null(twin));
            let any = if node == NONE { twin } else { node };
            if any != NONE {
                items.push(Item {
                    node,
                    twin,
                    of: self.typed(any).of,
                    doc: 0,
                });
            }
        };
        if tree.kind(first) != Kind::Array {
            push(value, twin);
            return;
        }
        let list = |id: NodeId| tree.children(if id == NONE { u32::MAX } else { id });
        let mut values = list(value);
        let mut twins = list(twin);
        loop {
            let (value, twin) = (values.next(), twins.next());
            if value.is_none() && twin.is_none() {
                return;
            }
            push(value.unwrap_or(NONE), twin.unwrap_or(NONE));
        }
    }

    fn counts(
        &mut self,
        parent: Item,
        plan: &'d Plan,
        at: At,
        node: &Node,
        items: &[Item],
    ) -> bool {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let place = parent.place();
        let range = || {
            let max = node.max.map_or_else(|| "*".to_owned(), |m| m.to_string());
            format!("{}..{max}", node.min)
        };
        if count < node.min {
            let raw = Self::demand(plan, at, Demand::Missing, place);
            self.report(
                raw.missing(node.name)
                    .expects(range())
                    .is(count.to_string()),
            );
            return false;
        }
        if node.max.is_some_and(|max| count > max) {
            let over = usize::try_from(node.max.unwrap_or(0)).unwrap_or(usize::MAX);
            let place = items.get(over).map_or(place, Place::place);
            let raw = Self::demand(plan, at, Demand::TooMany, place);
            self.report(raw.expects(range()).is(count.to_string()));
        }
        if count == 0 && node.must_support {
            let raw = Self::demand(plan, at, Demand::Support, place);
            self.report(raw.missing(node.name));
        }
        true
    }

    fn elements(
        &mut self,
        parent: Item,
        plan: &'d Plan,
        at: At,
        node: &'d Node,
        items: &[Item],
        cx: Cx,
    ) {
        self.counts(parent, plan, at, node, items);
        for item in items {
            if self.is_settled() {
                return;
            }
            self.node(*item, plan, at, cx);
        }
        if let Some(slicing) = &node.slicing {
            self.slices(parent, plan, at, slicing, items, cx);
        }
    }

    fn slices(
        &mut self,
        parent: Item,
        plan: &'d Plan,
        at: At,
        slicing: &'d Slices,
        items: &[Item],
        cx: Cx,
    ) {
        let untold = slicing.slices.iter().any(|s| s.tests.is_none());
        // Which slice each item is of.
        let mut of: Vec<Option<usize>> = Vec::with_capacity(items.len());
        for item in items {
            if self.is_settled() {
                return;
            }
            let mut found = None;
            for (n, slice) in slicing.slices.iter().enumerate() {
                let Some(tests) = &slice.tests else { continue };
                if self.passes(*item, plan, tests, cx) {
                    found = Some(n);
                    break;
                }
            }
            of.push(found);
        }
        for (n, slice) in slicing.slices.iter().enumerate() {
            let Some(node) = plan.nodes.get(slice.node) else {
                continue;
            };
            if slice.tests.is_none() {
                continue;
            }
            if self.is_settled() {
                return;
            }
            let mut own = self.spare.pop().unwrap_or_default();
            let those = items.iter().zip(&of).filter(|(_, of)| **of == Some(n));
            own.extend(those.map(|(item, _)| *item));
            let before = self.found.len();
            if !self.counts(parent, plan, slice.node, node, &own) {
                // Why the others are not of this slice.
                let reasons = self.reasons(plan, slicing, Some(n), items, &of, cx);
                if let Some(raw) = self.found.get_mut(before) {
                    raw.reasons = reasons;
                }
            }
            if node.needed {
                for item in &own {
                    self.node(*item, plan, slice.node, cx);
                }
                if let Some(inner) = &node.slicing {
                    self.slices(parent, plan, slice.node, inner, &own, cx);
                }
            }
            own.clear();
            self.spare.push(own);
        }
        if untold {
            return;
        }
        if slicing.rules == Rules::Closed {
            for (item, of_slice) in items.iter().zip(&of) {
                if of_slice.is_some() {
                    continue;
                }
                let place = item.place();
                let reasons = self.reasons(plan, slicing, None, &[*item], &[None], cx);
                let raw = Self::demand(plan, at, Demand::Slice, place);
                let names: Vec<_> = slicing.slices.iter().map(|s| &*s.name).collect();
                self.report(raw.expects(names.join(" | ")).because(reasons));
            }
        }
        let mut latest = 0;
        let mut rest = false;
        for (item, of_slice) in items.iter().zip(&of) {
            let wrong = if let Some(n) = of_slice {
                let wrong =
                    (slicing.ordered && *n < latest) || (slicing.rules == Rules::OpenAtEnd && rest);
                latest = latest.max(*n);
                wrong
            } else {
                rest = true;
                false
            };
            if wrong {
                let place = item.place();
                let raw = Self::demand(plan, at, Demand::Order, place);
                self.report(raw);
            }
        }
    }

    /// For items of no slice, what of each slice (or of one) they do not have.
    fn reasons(
        &mut self,
        plan: &'d Plan,
        slicing: &'d Slices,
        only: Option<usize>,
        items: &[Item],
        of: &[Option<usize>],
        cx: Cx,
    ) -> Vec<String> {
        let mut reasons = Vec::new();
        // Only what is shown is worded.
        if self.mode != Mode::Report || !self.has_room() {
            return reasons;
        }
        for (at, (item, own)) in items.iter().zip(of).enumerate() {
            if reasons.len() >= 20 {
                break;
            }
            if own.is_some() {
                continue;
            }
            for (n, slice) in slicing.slices.iter().enumerate() {
                if only.is_some_and(|only| only != n) || reasons.len() >= 20 {
                    continue;
                }
                for test in slice.tests.iter().flatten() {
                    if self.passes_one(*item, plan, test, cx) {
                        continue;
                    }
                    let path = show_steps(&test.steps, self.v.core);
                    let path = if path.is_empty() {
                        "$this = ".to_owned()
                    } else {
                        path
                    };
                    let mut reason = format!(
                        "[{at}] {}: {path}{}",
                        slice.name,
                        test.want.show(self.v.core)
                    );
                    if let Want::Profile(profiles) = &test.want {
                        self.any(*item, &test.steps, &mut |run, value| {
                            for why in run.profile_errors(value, plan, profiles, cx) {
                                reason.push_str("; ");
                                reason.push_str(&why);
                            }
                            reason.len() > 2_000
                        });
                    }
                    reasons.push(reason);
                    break;
                }
            }
        }
        reasons
    }

    /// First errors against each profile of the type, as `code location-argument`.
    fn profile_errors(
        &mut self,
        value: Item,
        plan: &'d Plan,
        profiles: &'d [Box<str>],
        cx: Cx,
    ) -> Vec<String> {
        let mut out = Vec::new();
        if self.mode != Mode::Report || !self.has_room() {
            return out;
        }
        let package = plan.structure.package;
        let v = self.v;
        for profile in profiles {
            let Known::Profile(other) = v.known(profile, Some(package)) else {
                continue;
            };
            if !v.core.is_a(value.of, other.of) {
                continue;
            }
            let inner = self.inner(value, cx);
            out.extend(self.explain(value, other, inner));
        }
        out
    }

    /// First errors of an element against a profile, as `name code argument`.
    fn explain(&mut self, item: Item, plan: &'d Plan, cx: Cx) -> Vec<String> {
        let key = (item.place(), plan.number);
        if let Some(known) = self.explanations.get(&key) {
            return known.clone();
        }
        self.mode = Mode::Explain;
        self.explained.clear();
        self.inside(item, plan, cx);
        self.mode = Mode::Report;
        let name = &plan.structure.name;
        let reasons: Vec<String> = std::mem::take(&mut self.reasons)
            .into_iter()
            .map(|why| format!("{name} {why}"))
            .collect();
        self.explanations.insert(key, reasons.clone());
        reasons
    }

    /// The surroundings within a value: a resource is its own.
    fn inner(&self, value: Item, cx: Cx) -> Cx {
        if value.node != NONE && self.is_resource(value.of) {
            self.around(value.node)
        } else {
            cx
        }
    }

    /// Whether an element is of a slice of a profile: `None` where the profile has no such slice, or says
    /// not how to tell it.
    pub(crate) fn is_of_slice(
        &mut self,
        item: Item,
        plan: &'d Plan,
        name: &str,
        cx: Cx,
    ) -> Option<bool> {
        let path = self.path_within(item, plan)?;
        // A slice of a slice is named `outer/inner`: it is of both.
        let ends = name.match_indices('/').map(|(at, _)| at);
        for end in ends.chain([name.len()]) {
            let name = name.get(..end)?;
            let slicings = plan.nodes.iter().filter_map(|n| {
                let slicing = n.slicing.as_ref()?;
                let own = slicing.slices.iter().find(|s| &*s.name == name)?;
                (plain_path(&n.id) == path).then_some((slicing, own.tests.as_ref()?))
            });
            let mut is = None;
            for (slicing, own) in slicings {
                // An element is of the first slice that it fits.
                let first = slicing.slices.iter().find_map(|s| {
                    let tests = s.tests.as_ref()?;
                    self.passes(item, plan, tests, cx).then_some(tests)
                });
                is = Some(is == Some(true) || first.is_some_and(|t| std::ptr::eq(t, own)));
            }
            if !is? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Path of an element from what a profile is about, as in the ids of its elements.
    fn path_within(&self, item: Item, plan: &Plan) -> Option<String> {
        let tree = self.doc.tree;
        let core = self.v.core;
        let mut names = Vec::new();
        let mut at = item.place();
        loop {
            let parent = tree.parent(at);
            let is_item = parent != NONE && tree.kind(parent) == Kind::Array;
            let own = if is_item { parent } else { at };
            names.push(core.name_text(self.typed(own).name));
            at = tree.parent(own);
            if at == NONE {
                return None;
            }
            if core.is_a(self.typed(at).of, plan.of) {
                names.push(core.type_(plan.of).name());
                names.reverse();
                return Some(names.join("."));
            }
        }
    }

    fn passes(&mut self, item: Item, plan: &'d Plan, tests: &'d [Test], cx: Cx) -> bool {
        tests.iter().all(|t| self.passes_one(item, plan, t, cx))
    }

    fn passes_one(&mut self, item: Item, plan: &'d Plan, test: &'d Test, cx: Cx) -> bool {
        if let Want::Exists(wanted) = test.want {
            return self.any(item, &test.steps, &mut |_, _| true) == wanted;
        }
        self.any(item, &test.steps, &mut |run, value| {
            run.wanted(value, plan, &test.want, cx)
        })
    }

    fn wanted(&mut self, value: Item, plan: &'d Plan, want: &'d Want, cx: Cx) -> bool {
        let tree = self.doc.tree;
        match want {
            Want::Fixed(json) => value.node != NONE && json.is(tree, value.node),
            Want::Pattern(json) => value.node != NONE && json.is_in(tree, value.node),
            Want::Member(binding, package) => {
                matches!(
                    self.verdict(value, &binding.value_set, *package),
                    Verdict::In
                )
            }
            Want::Type(types) => {
                let core = self.v.core;
                types.iter().any(|t| has_type(core, value.of, *t))
            }
            Want::Profile(profiles) => self.follows_any(value, plan, profiles, cx),
            Want::Exists(_) => true,
            Want::All(tests) => self.passes(value, plan, tests, cx),
        }
    }

    fn follows_any(&mut self, value: Item, plan: &'d Plan, profiles: &[Box<str>], cx: Cx) -> bool {
        let v = self.v;
        let package = plan.structure.package;
        let inner = self.inner(value, cx);
        profiles
            .iter()
            .any(|profile| match v.known(profile, Some(package)) {
                Known::Type(of) => v.core.is_a(value.of, of),
                Known::Profile(other) => {
                    v.core.is_a(value.of, other.of) && self.conforms(value, other, inner)
                }
                Known::Unknown | Known::Missing => false,
            })
    }

    /// Whether any value at a path of a discriminator fits.
    fn any(
        &mut self,
        item: Item,
        steps: &[Step],
        fits: &mut dyn FnMut(&mut Self, Item) -> bool,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return fits(self, item);
        };
        match step {
            Step::OfType(of) => self.v.core.is_a(item.of, *of) && self.any(item, rest, fits),
            Step::Resolve => match self.target(item) {
                (_, Some(node)) => self.any(self.item_of(node), rest, fits),
                _ => false,
            },
            Step::Child(_) | Step::Extension(_) => {
                let tree = self.doc.tree;
                let ids = &self.v.ids;
                let mut items = self.spare.pop().unwrap_or_default();
                let hit = match step {
                    Step::Child(name) => {
                        self.collect(item, *name, &mut items);
                        items.iter().any(|i| self.any(*i, rest, fits))
                    }
                    Step::Extension(url) => {
                        self.collect(item, ids.extension, &mut items);
                        items.iter().any(|e| {
                            member(tree, e.node, ids.url).is_some_and(|u| tree.is_text(u, url))
                                && self.any(*e, rest, fits)
                        })
                    }
                    _ => false,
                };
                items.clear();
                self.spare.push(items);
                hit
            }
        }
    }

    fn types(&mut self, item: Item, plan: &'d Plan, at: At, node: &'d Node, cx: Cx) {
        let core = self.v.core;
        let place = item.place();
        let Some(rule) = node.types.iter().find(|r| has_type(core, item.of, r.of)) else {
            if item.of != TypeId::NONE {
                let names: Vec<_> = node.types.iter().map(|r| core.type_(r.of).name()).collect();
                let raw = Self::demand(plan, at, Demand::Type, place);
                let found = core.type_(item.of).name();
                self.report(raw.expects(names.join(" | ")).is(found));
            }
            return;
        };
        if !rule.profiles.is_empty() {
            self.type_profiles(item, plan, at, rule, cx);
        }
        if !rule.aggregation.is_empty() {
            self.aggregation(item, plan, at, rule);
        }
        if rule.check_targets {
            self.target_profiles(item, plan, at, rule);
        }
    }

    /// Whether the target of a reference is where the profile wants it, FHIR R4 §2.27 aggregation.
    fn aggregation(&mut self, item: Item, plan: &'d Plan, at: At, rule: &'d TypeRule) {
        let Some(node) = member(self.doc.tree, item.node, self.v.ids.reference) else {
            return;
        };
        let is = if self.doc.tree.text(node).starts_with('#') {
            "contained"
        } else if self.target(item).1.is_some() {
            "bundled"
        } else {
            "referenced"
        };
        // What is an entry of the same Bundle is referenced, too.
        let fits = |mode: &str| mode == is || (mode == "referenced" && is == "bundled");
        if !rule.aggregation.iter().any(|mode| fits(mode)) {
            let raw = Self::demand(plan, at, Demand::Aggregation, node);
            self.report(raw.expects(rule.aggregation.join(" | ")).is(is));
        }
    }

    fn type_profiles(&mut self, item: Item, plan: &'d Plan, at: At, rule: &'d TypeRule, cx: Cx) {
        let v = self.v;
        let package = plan.structure.package;
        let place = item.place();
        let inner = self.inner(item, cx);
        let mut fitting: Vec<&'d Plan> = Vec::new();
        let mut unchecked = None;
        for profile in &rule.profiles {
            match v.known(profile, Some(package)) {
                Known::Type(of) => {
                    if v.core.is_a(item.of, of) {
                        return;
                    }
                }
                Known::Profile(other) => {
                    if v.core.is_a(item.of, other.of) {
                        fitting.push(other);
                    }
                }
                Known::Unknown => {
                    unchecked = unchecked.or(Some((&fhr::FHR301, profile)));
                }
                Known::Missing => {
                    unchecked = unchecked.or(Some((&fhr::FHR302, profile)));
                }
            }
        }
        if let [only] = *fitting
            && unchecked.is_none()
        {
            self.conform(item, only, inner);
            return;
        }
        for other in &fitting {
            if self.conforms(item, other, inner) {
                return;
            }
        }
        // It may follow the one that is not at hand.
        if let Some((code, profile)) = unchecked {
            self.report(Raw::new(code, place).with(&**profile).by(plan, at));
            return;
        }
        let reasons = self.profile_errors(item, plan, &rule.profiles, cx);
        let raw = Self::demand(plan, at, Demand::TypeProfile, place);
        self.report(raw.expects(rule.profiles.join(" | ")).because(reasons));
    }

    fn target_profiles(&mut self, item: Item, plan: &'d Plan, at: At, rule: &'d TypeRule) {
        let v = self.v;
        let package = plan.structure.package;
        let (of, node) = self.target(item);
        let Some(of) = of else { return };
        let place = member(self.doc.tree, item.node, self.v.ids.reference).unwrap_or(item.node);
        let target = node.map(|n| self.item_of(n));
        let mut fits = false;
        let mut unchecked = None;
        for profile in &rule.targets {
            match v.known(profile, Some(package)) {
                Known::Type(t) => {
                    if v.core.is_a(of, t) {
                        return;
                    }
                }
                Known::Profile(other) => {
                    if !v.core.is_a(of, other.of) {
                        continue;
                    }
                    fits = true;
                    let Some(target) = target else { return };
                    let cx = self.around(target.node);
                    if self.conforms(target, other, cx) {
                        return;
                    }
                }
                Known::Unknown => {
                    unchecked = unchecked.or(Some((&fhr::FHR301, profile)));
                }
                Known::Missing => {
                    unchecked = unchecked.or(Some((&fhr::FHR302, profile)));
                }
            }
        }
        if let Some((code, profile)) = unchecked {
            self.report(Raw::new(code, place).with(&**profile).by(plan, at));
            return;
        }
        let reasons = match target {
            Some(target) if fits => {
                let cx = self.around(target.node);
                self.profile_errors(target, plan, &rule.targets, cx)
            }
            _ => Vec::new(),
        };
        let raw = Self::demand(plan, at, Demand::TargetProfile, place);
        let found = v.core.type_(of).name();
        self.report(
            raw.expects(rule.targets.join(" | "))
                .is(found)
                .because(reasons),
        );
    }
}

/// The id of an element without names of slices: `Patient.extension:a.value[x]` is `Patient.extension.value`.
fn plain_path(id: &str) -> String {
    let steps = id.split('.').map(|step| {
        let name = step.split(':').next().unwrap_or(step);
        name.trim_end_matches("[x]")
    });
    steps.collect::<Vec<_>>().join(".")
}

/// Dates of one precision compare as texts.
fn out_of_range(text: &str, bound: &Json, least: bool) -> bool {
    let order = match bound {
        Json::Number(number) => match (Dec::parse(text), Dec::parse(number)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => return false,
        },
        Json::Text(bound) => {
            let n = text.len().min(bound.len());
            match (text.get(..n), bound.get(..n)) {
                (Some(a), Some(b)) => a.cmp(b),
                _ => return false,
            }
        }
        _ => return false,
    };
    if least { order.is_lt() } else { order.is_gt() }
}

/// Whether a quantity is beyond a bound; `None` where the two do not compare.
fn is_quantity_out(tree: &Tree<'_>, node: NodeId, bound: &Json, least: bool) -> Option<bool> {
    if crate::IS_SMALL {
        return None;
    }
    let own = |key: &str| tree.member(node, key).map(|n| tree.text(n));
    let of_bound = |key: &str| match bound.member(key) {
        Some(Json::Text(text) | Json::Number(text)) => Some(&**text),
        _ => None,
    };
    let Some(value) = own("value") else {
        return Some(false);
    };
    // "< 5" may be any number below.
    if own("comparator").is_some() {
        return None;
    }
    let (system, code) = (own("system"), own("code"));
    let same = |text: Option<&str>, key: &str| text == of_bound(key);
    // Without a code the text of the unit is all there is.
    let unit = own("unit");
    let is_one_unit = same(system.as_deref(), "system")
        && same(code.as_deref(), "code")
        && (code.is_some() || same(unit.as_deref(), "unit"));
    let is_ucum = |system: Option<&str>| system == Some(UCUM);
    let are_ucum = is_ucum(system.as_deref())
        && is_ucum(of_bound("system"))
        && code.is_some()
        && of_bound("code").is_some();
    if !is_one_unit && !are_ucum {
        return None;
    }
    let quantity = |value: &str, code: Option<&str>| {
        Some(Quantity {
            value: Dec::parse(value)?,
            unit: code.filter(|_| !is_one_unit).unwrap_or_default().into(),
            calendar: false,
        })
    };
    let value = quantity(&value, code.as_deref())?;
    let order = value.compare(&quantity(of_bound("value")?, of_bound("code"))?)?;
    Some(if least { order.is_lt() } else { order.is_gt() })
}

/// Whether a value of a type has the type that is named: itself, or a kind of an abstract one. `markdown`
/// specialises `string`, and yet is none of the types where a choice leaves `string` only.
fn has_type(core: &'static Core, of: TypeId, named: TypeId) -> bool {
    of == named || (core.type_(named).is_abstract() && core.is_a(of, named))
}
