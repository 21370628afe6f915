//! A profile, compiled: only what it demands beyond R4 core, as a trie of elements by number of name.

use std::collections::BTreeSet;
use std::sync::Arc;

use warifu_definitions::{
    Binding, Constraint, Definitions, DiscriminatorKind, ElementDefinition, PackageId, Rules,
    Strength, StructureDefinition,
};
use warifu_fhirpath::{Bounds, Engine, Program};
use warifu_r4::{Core, Element, TypeId};

use crate::discriminator::{Step, Test, Want, steps};
use crate::snapshot;
use crate::value::Json;

pub(crate) const CORE_PROFILES: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Number of a node in a plan.
pub(crate) type At = usize;

/// A compiled profile.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Its number among the plans of a validator.
    pub(crate) number: usize,
    pub(crate) structure: Arc<StructureDefinition>,
    /// Type that it constrains.
    pub(crate) of: TypeId,
    pub(crate) nodes: Vec<Node>,
    /// What of it cannot be checked.
    pub(crate) defects: Vec<Defect>,
    /// Whether it is a modifier extension.
    pub(crate) is_modifier: bool,
    /// What must hold where it stands, if it is an extension.
    pub(crate) context_rules: Vec<Program>,
}

/// Why something of a profile is not checked.
#[derive(Debug)]
pub(crate) enum Defect {
    /// Another definition that it needs is not at hand: a base (only the differential is held then), or
    /// the profile that tells a slice.
    NotAtHand(String),
    /// The definition cannot be used as it is.
    Unusable(String),
}

/// What is demanded of an element, or of a slice.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Id of the element definition.
    pub(crate) id: Box<str>,
    /// Number of the element's name.
    pub(crate) name: u16,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) types: Vec<TypeRule>,
    pub(crate) fixed: Option<Json>,
    pub(crate) pattern: Option<Json>,
    pub(crate) least: Option<Json>,
    pub(crate) greatest: Option<Json>,
    pub(crate) max_length: Option<u32>,
    pub(crate) binding: Option<Binding>,
    pub(crate) invariants: Vec<Rule>,
    pub(crate) must_support: bool,
    pub(crate) children: Vec<At>,
    pub(crate) slicing: Option<Slices>,
    /// Where its content is described (`contentReference`).
    pub(crate) content: Option<At>,
    /// Whether anything is checked here or below.
    pub(crate) needed: bool,
}

/// A type that is allowed.
#[derive(Debug, Clone)]
pub(crate) struct TypeRule {
    pub(crate) of: TypeId,
    pub(crate) profiles: Vec<Box<str>>,
    pub(crate) targets: Vec<Box<str>>,
    /// Whether the core type has other targets, so that they have to be checked.
    pub(crate) check_targets: bool,
    /// Where the target may be: `contained`, `referenced`, `bundled`; empty: anywhere.
    pub(crate) aggregation: Vec<Box<str>>,
}

/// An invariant of a profile.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) constraint: Constraint,
    pub(crate) program: Program,
}

#[derive(Debug)]
pub(crate) struct Slices {
    pub(crate) rules: Rules,
    pub(crate) ordered: bool,
    pub(crate) slices: Vec<Slice>,
}

#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) name: Box<str>,
    pub(crate) node: At,
    /// All must hold; `None` where the definition does not say how to tell it.
    pub(crate) tests: Option<Vec<Test>>,
}

/// What compiling needs.
#[derive(Clone, Copy)]
pub(crate) struct Tools<'a> {
    pub(crate) core: &'static Core,
    pub(crate) engine: &'a Engine,
    pub(crate) definitions: &'a dyn Definitions,
    pub(crate) must_support: bool,
}

/// The elements of a structure as a tree.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    pub(crate) structure: Option<Arc<StructureDefinition>>,
    pub(crate) nodes: Vec<Branch>,
}

#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// Number of its element in the structure; none for a choice whose types only are named.
    pub(crate) element: Option<usize>,
    pub(crate) name: u16,
    /// Definition in core.
    pub(crate) core: Option<Element>,
    /// Types it may have.
    pub(crate) of: Vec<TypeId>,
    pub(crate) children: Vec<At>,
    pub(crate) slices: Vec<At>,
    pub(crate) slice_name: Option<Box<str>>,
    /// The element that this slices.
    pub(crate) whole: Option<At>,
}

impl Trie {
    pub(crate) fn of(structure: Arc<StructureDefinition>, core: &'static Core) -> Self {
        let mut trie = Self::default();
        // Node of each depth on the way to the latest element.
        let mut way: Vec<At> = Vec::new();
        let root = core.type_named(&structure.of);
        for (n, element) in structure.elements.iter().enumerate() {
            let depth = element.path.split('.').count();
            let last = element.path.rsplit('.').next().unwrap_or_default();
            if depth <= 1 {
                if way.is_empty() {
                    trie.nodes.push(Branch {
                        element: Some(n),
                        of: root.into_iter().collect(),
                        ..Branch::default()
                    });
                    way.push(0);
                }
                continue;
            }
            way.truncate(depth - 1);
            if way.len() != depth - 1 {
                // A parent is left out: the differential of a sparse definition.
                let Some(parent) = trie.fill(&element.path, &mut way, core) else {
                    continue;
                };
                debug_assert_eq!(way.last(), Some(&parent));
            }
            let Some(parent) = way.last().copied() else {
                continue;
            };
            let at = trie.add(parent, last, n, element, core);
            way.push(at);
        }
        trie.structure = Some(structure);
        trie
    }

    /// Makes the nodes above a path that has none.
    fn fill(&mut self, path: &str, way: &mut Vec<At>, core: &'static Core) -> Option<At> {
        let steps: Vec<&str> = path.split('.').collect();
        if self.nodes.is_empty() {
            let root = core.type_named(steps.first()?);
            self.nodes.push(Branch {
                of: root.into_iter().collect(),
                ..Branch::default()
            });
        }
        if way.is_empty() {
            way.push(0);
        }
        while way.len() < steps.len() - 1 {
            let parent = *way.last()?;
            let name = steps.get(way.len())?;
            let at = self.child(parent, name.trim_end_matches("[x]"), core);
            way.push(at);
        }
        way.last().copied()
    }

    pub(crate) fn get(&self, at: At) -> Option<&Branch> {
        self.nodes.get(at)
    }

    pub(crate) fn definition(&self, at: At) -> Option<&ElementDefinition> {
        let element = self.get(at)?.element?;
        self.structure.as_ref()?.elements.get(element)
    }

    pub(crate) fn find(&self, parent: At, name: u16) -> Option<At> {
        let parent = self.get(parent)?;
        parent
            .children
            .iter()
            .copied()
            .find(|c| self.get(*c).is_some_and(|b| b.name == name))
    }

    /// The child of that name, made if need be.
    fn child(&mut self, parent: At, name: &str, core: &'static Core) -> At {
        let number = core.name(name);
        if let Some(at) = self.find(parent, number) {
            return at;
        }
        let found = self.core_element(parent, number, core);
        let of = found.map_or_else(Vec::new, |e| {
            e.types().map(warifu_r4::TypeRef::of).collect()
        });
        self.push(
            parent,
            Branch {
                name: number,
                core: found,
                of,
                ..Branch::default()
            },
        )
    }

    fn push(&mut self, parent: At, branch: Branch) -> At {
        let at = self.nodes.len();
        self.nodes.push(branch);
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(at);
        }
        at
    }

    fn core_element(&self, parent: At, name: u16, core: &'static Core) -> Option<Element> {
        self.get(parent)?
            .of
            .iter()
            .find_map(|of| core.type_(*of).elements().find(|e| e.name_id() == name))
    }

    fn add(
        &mut self,
        parent: At,
        last: &str,
        n: usize,
        element: &ElementDefinition,
        core: &'static Core,
    ) -> At {
        let plain = last.trim_end_matches("[x]");
        let number = core.name(plain);
        // `valueQuantity` is a slice of `value[x]`.
        let by_key = if last.ends_with("[x]") || self.core_element(parent, number, core).is_some() {
            None
        } else {
            self.get(parent).and_then(|p| {
                p.of.iter().find_map(|of| {
                    let property = core.property(*of, core.name(plain))?;
                    let whole = core.element(property.element);
                    whole.is_choice().then_some((whole.name(), property.of))
                })
            })
        };
        let (whole, type_slice) = match by_key {
            Some((whole, of)) => (self.child(parent, whole, core), Some(of)),
            None => (self.child(parent, plain, core), None),
        };
        let slice = element
            .slice_name
            .clone()
            .or_else(|| type_slice.map(|_| plain.into()));
        let Some(slice) = slice else {
            let types = types_of(element, self.get(whole).and_then(|b| b.core), core);
            if let Some(branch) = self.nodes.get_mut(whole) {
                branch.element = Some(n);
                if let Some(types) = types {
                    branch.of = types;
                }
            }
            return whole;
        };
        // A slice of a slice names the outer one: `outer/inner`.
        let outer = slice.rsplit_once('/').and_then(|(outer, _)| {
            self.get(whole)?.slices.iter().copied().find(|s| {
                self.get(*s)
                    .is_some_and(|b| b.slice_name.as_deref() == Some(outer))
            })
        });
        let holder = outer.unwrap_or(whole);
        let core_element = self.get(whole).and_then(|b| b.core);
        let of = types_of(element, core_element, core)
            .or(type_slice.map(|t| vec![t]))
            .or_else(|| self.get(whole).map(|b| b.of.clone()))
            .unwrap_or_default();
        let at = self.nodes.len();
        self.nodes.push(Branch {
            element: Some(n),
            name: self.get(whole).map_or(0, |b| b.name),
            core: core_element,
            of,
            slice_name: Some(slice),
            whole: Some(holder),
            ..Branch::default()
        });
        if let Some(branch) = self.nodes.get_mut(holder) {
            branch.slices.push(at);
        }
        at
    }

    /// Node that a content reference names.
    fn referenced(&self, reference: &str) -> Option<At> {
        let id = reference.rsplit('#').next()?;
        let elements = &self.structure.as_ref()?.elements;
        (0..self.nodes.len()).find(|at| {
            self.get(*at)
                .and_then(|b| elements.get(b.element?))
                .is_some_and(|e| &*e.id == id)
        })
    }
}

/// Types that a definition leaves, as numbers of core (of elements with elements those of the path).
fn types_of(
    element: &ElementDefinition,
    own: Option<Element>,
    core: &'static Core,
) -> Option<Vec<TypeId>> {
    if element.types.is_empty() {
        return None;
    }
    let codes: Vec<TypeId> = element
        .types
        .iter()
        .filter_map(|t| core.type_named(&t.code))
        .collect();
    let Some(own) = own else {
        return Some(codes);
    };
    let own: Vec<TypeId> = own.types().map(warifu_r4::TypeRef::of).collect();
    let left: Vec<TypeId> = own
        .iter()
        .copied()
        .filter(|of| {
            codes
                .iter()
                .any(|code| code == of || core.is_a(*of, *code) && own.len() == 1)
        })
        .collect();
    Some(if left.is_empty() {
        if codes.is_empty() { own } else { codes }
    } else {
        left
    })
}

/// Keys of invariants that R4 core checks anyway.
pub(crate) fn core_keys(core: &'static Core) -> BTreeSet<&'static str> {
    let mut keys = BTreeSet::new();
    keys.extend((0..core.invariant_count()).map(|n| core.invariant(n).key()));
    keys
}

pub(crate) fn compile(
    structure: Arc<StructureDefinition>,
    tools: Tools<'_>,
    core_keys: &BTreeSet<&'static str>,
    number: usize,
) -> Plan {
    let mut defects = Vec::new();
    let mut missing_base = false;
    let structure = if structure.has_snapshot {
        structure
    } else {
        match snapshot::expand(&structure, tools.definitions, tools.core) {
            Ok(made) => Arc::new(made),
            Err(why) => {
                defects.push(why);
                missing_base = true;
                structure
            }
        }
    };
    let trie = Trie::of(structure.clone(), tools.core);
    let mut maker = Maker {
        tools,
        core_keys,
        trie: &trie,
        defects,
        package: structure.package,
    };
    let mut nodes: Vec<Node> = (0..trie.nodes.len()).map(|at| maker.node(at)).collect();
    let mut defects = maker.defects;
    if missing_base {
        // What only the base says is not the definition's defect.
        defects.truncate(1);
    }
    for at in 0..trie.nodes.len() {
        need(&mut nodes, at, 0);
    }
    for at in 0..nodes.len() {
        let kept: Vec<At> = nodes
            .get(at)
            .map(|n| n.children.clone())
            .unwrap_or_default()
            .into_iter()
            .filter(|c| nodes.get(*c).is_some_and(|n| n.needed))
            .collect();
        if let Some(node) = nodes.get_mut(at) {
            node.children = kept;
        }
    }
    let is_modifier = structure
        .elements
        .first()
        .is_some_and(|root| root.is_modifier);
    let context_rules = structure
        .context_invariants
        .iter()
        .filter(|_| !crate::IS_SMALL)
        .filter_map(|text| tools.engine.compile(text, Bounds::DEFAULT).ok())
        .collect();
    Plan {
        context_rules,
        number,
        of: tools.core.type_named(&structure.of).unwrap_or(TypeId::NONE),
        structure,
        nodes,
        defects,
        is_modifier,
    }
}

/// Decides whether a node is needed; recursion is as deep as paths are long.
fn need(nodes: &mut Vec<Node>, at: At, depth: usize) -> bool {
    if depth > 64 {
        return false;
    }
    let Some(node) = nodes.get(at) else {
        return false;
    };
    if node.needed {
        return true;
    }
    let mut below = node.children.clone();
    let mut strict = false;
    if let Some(slicing) = &node.slicing {
        below.extend(slicing.slices.iter().map(|s| s.node));
        strict = slicing.rules != Rules::Open || slicing.ordered;
    }
    let mut needed = strict || node.demands();
    for child in below {
        needed |= need(nodes, child, depth + 1);
    }
    if let Some(node) = nodes.get_mut(at) {
        node.needed = needed;
    }
    needed
}

impl Node {
    fn demands(&self) -> bool {
        self.min > 0
            || self.max.is_some()
            || !self.types.is_empty()
            || self.fixed.is_some()
            || self.pattern.is_some()
            || self.least.is_some()
            || self.greatest.is_some()
            || self.max_length.is_some()
            || self.binding.is_some()
            || !self.invariants.is_empty()
            || self.must_support
            || self.content.is_some()
    }
}

struct Maker<'a, 't> {
    tools: Tools<'a>,
    core_keys: &'a BTreeSet<&'static str>,
    trie: &'t Trie,
    defects: Vec<Defect>,
    package: PackageId,
}

impl Maker<'_, '_> {
    fn node(&mut self, at: At) -> Node {
        let Some(branch) = self.trie.get(at) else {
            return Node::default();
        };
        let mut node = Node {
            name: branch.name,
            children: branch.children.clone(),
            ..Node::default()
        };
        if let Some(element) = self.trie.definition(at) {
            self.demands(&mut node, branch, element, at == 0);
        }
        if !branch.slices.is_empty() || node.slicing.is_some() {
            node.slicing = self.slicing(at);
        }
        node
    }

    fn demands(
        &mut self,
        node: &mut Node,
        branch: &Branch,
        element: &ElementDefinition,
        is_root: bool,
    ) {
        node.id = element.id.clone();
        if !is_root {
            let is_slice = branch.whole.is_some();
            let (min, max) = branch
                .core
                .map_or((0, None), |e| (u32::from(e.min()), e.max().map(u32::from)));
            let own_min = element.min.unwrap_or(0);
            if is_slice || own_min > min {
                node.min = own_min;
            }
            if let Some(own) = element.max {
                node.max = own.filter(|own| is_slice || max.is_none_or(|max| *own < max));
            }
            // One value is all there can be.
            if is_slice && max == Some(1) && node.max == Some(1) {
                node.max = None;
            }
            node.types = self.types(branch, element);
            node.content = element
                .content_reference
                .as_deref()
                .filter(|_| branch.children.is_empty())
                .and_then(|r| self.trie.referenced(r));
        }
        node.fixed = element.fixed.as_ref().map(|v| Json::read(&v.json));
        node.pattern = element.pattern.as_ref().map(|v| Json::read(&v.json));
        node.least = element.min_value.as_ref().map(|v| Json::read(&v.json));
        node.greatest = element.max_value.as_ref().map(|v| Json::read(&v.json));
        node.max_length = element.max_length;
        node.binding = Self::binding(branch, element);
        node.must_support = self.tools.must_support && element.must_support;
        for constraint in &element.constraints {
            if self.core_keys.contains(&*constraint.key) || constraint.expression.is_empty() {
                continue;
            }
            match self
                .tools
                .engine
                .compile(&constraint.expression, Bounds::DEFAULT)
            {
                Ok(program) => node.invariants.push(Rule {
                    constraint: constraint.clone(),
                    program,
                }),
                Err(why) => {
                    let why = format!("{} {}: {why}", element.id, constraint.key);
                    self.defects.push(Defect::Unusable(why));
                }
            }
        }
        if element.slicing.is_some() {
            node.slicing = Some(Slices {
                rules: Rules::Open,
                ordered: false,
                slices: Vec::new(),
            });
        }
    }

    fn binding(branch: &Branch, element: &ElementDefinition) -> Option<Binding> {
        let own = element.binding.as_ref()?;
        if own.value_set.is_empty() || own.strength == Strength::Example {
            return None;
        }
        let plain = warifu_definitions::split_canonical(&own.value_set).0;
        let core = branch.core;
        let same = core
            .and_then(Element::value_set)
            .is_some_and(|set| set.url() == plain)
            && core.and_then(Element::strength).is_some_and(|s| {
                matches!(
                    (s, own.strength),
                    (warifu_r4::Strength::Required, Strength::Required)
                        | (warifu_r4::Strength::Extensible, Strength::Extensible)
                        | (warifu_r4::Strength::Preferred, Strength::Preferred)
                )
            });
        (!same).then(|| own.clone())
    }

    /// Types, where they are fewer or more precise than those of core.
    fn types(&self, branch: &Branch, element: &ElementDefinition) -> Vec<TypeRule> {
        let core = self.tools.core;
        let Some(own) = branch.core else {
            return Vec::new();
        };
        let mut narrower = branch.of.len() < own.types().count();
        let mut rules = Vec::new();
        for of in &branch.of {
            let given: Vec<_> = element
                .types
                .iter()
                .filter(|t| core.type_named(&t.code).is_some_and(|c| core.is_a(*of, c)))
                .collect();
            let core_type = own.types().find(|t| t.of() == *of);
            let mut profiles: Vec<Box<str>> = given
                .iter()
                .flat_map(|t| t.profiles.iter().cloned())
                .collect();
            let targets: Vec<Box<str>> = given
                .iter()
                .flat_map(|t| t.targets.iter().cloned())
                .collect();
            // Extensions are held against the definition that their url names.
            if core.type_(*of).name() == "Extension" {
                profiles.clear();
            }
            profiles.retain(|p| core_type.and_then(warifu_r4::TypeRef::profile) != Some(p));
            let check_targets = !targets.is_empty()
                && core_type.is_some_and(|t| {
                    let own = t
                        .targets()
                        .map(|t| format!("{CORE_PROFILES}{}", core.type_(t).name()));
                    let mut all: Vec<String> = own.collect();
                    let mut given: Vec<String> = targets.iter().map(ToString::to_string).collect();
                    for list in [&mut all, &mut given] {
                        warifu_order::sort(list);
                        list.dedup();
                    }
                    all != given
                        && !given
                            .iter()
                            .any(|t| t == "http://hl7.org/fhir/StructureDefinition/Resource")
                });
            let mut aggregation: Vec<Box<str>> = Vec::new();
            if given.iter().all(|t| !t.aggregation.is_empty()) {
                aggregation.extend(given.iter().flat_map(|t| t.aggregation.iter().cloned()));
                warifu_order::sort(&mut aggregation);
                aggregation.dedup();
            }
            narrower |= !profiles.is_empty() || check_targets || !aggregation.is_empty();
            rules.push(TypeRule {
                of: *of,
                profiles,
                targets,
                check_targets,
                aggregation,
            });
        }
        if narrower { rules } else { Vec::new() }
    }

    fn slicing(&mut self, at: At) -> Option<Slices> {
        let branch = self.trie.get(at)?;
        let definition = self.trie.definition(at);
        let declared = definition.and_then(|e| e.slicing.as_ref());
        // A slice of slices without slicing of its own is told apart as the whole is.
        let inherited = branch
            .whole
            .and_then(|whole| self.trie.definition(whole))
            .and_then(|e| e.slicing.as_ref());
        let declared = declared.or(inherited);
        let by_type = branch.core.is_some_and(Element::is_choice);
        let mut discriminators: Vec<(DiscriminatorKind, Vec<Step>)> = Vec::new();
        let mut defect = None;
        for d in declared.iter().flat_map(|s| &s.discriminators) {
            match steps(&d.path, self.tools.core) {
                Some(steps) => discriminators.push((d.kind, steps)),
                None => defect = Some(format!("discriminator {}", d.path)),
            }
        }
        if discriminators.is_empty() && by_type {
            discriminators.push((DiscriminatorKind::Type, Vec::new()));
        }
        let id = definition.map_or("", |e| &e.id);
        let slices = branch.slices.clone();
        let slices: Vec<Slice> = slices
            .into_iter()
            .filter_map(|slice| {
                let own = self.trie.get(slice)?;
                let name = own.slice_name.clone()?;
                let mut tests = Vec::new();
                let mut told = defect.is_none() && !discriminators.is_empty();
                for (kind, path) in &discriminators {
                    match self.test(slice, *kind, path) {
                        Some(test) => tests.push(test),
                        None => told = false,
                    }
                }
                if !told && !tests.is_empty() && defect.is_none() {
                    // What can be told is told: some guides name a discriminator that a slice leaves open.
                    told = true;
                }
                if !told {
                    let why = format!("{id}:{name}: nothing tells this slice from others");
                    self.defects.push(Defect::Unusable(why));
                } else if let Some(profile) = tests.iter().find_map(|t| self.not_at_hand(t)) {
                    let why = format!("{id}:{name}: {profile}");
                    self.defects.push(Defect::NotAtHand(why));
                    told = false;
                }
                Some(Slice {
                    name,
                    node: slice,
                    tests: told.then_some(tests),
                })
            })
            .collect();
        Some(Slices {
            rules: declared.map_or(Rules::Open, |s| s.rules),
            ordered: declared.is_some_and(|s| s.ordered),
            slices,
        })
    }

    /// A profile that a test needs and that is not at hand.
    fn not_at_hand<'w>(&self, test: &'w Test) -> Option<&'w str> {
        let Want::Profile(profiles) = &test.want else {
            return None;
        };
        let is_core = |url: &str| {
            let name = url.strip_prefix(CORE_PROFILES);
            name.is_some_and(|name| self.tools.core.type_named(name).is_some())
        };
        let is_at_hand = |url: &str| {
            let found = self.tools.definitions.structure(url, Some(self.package));
            is_core(url) || found.found().is_some()
        };
        let mut profiles = profiles.iter().map(AsRef::as_ref);
        profiles.find(|url| !is_at_hand(url))
    }

    fn test(&self, slice: At, kind: DiscriminatorKind, path: &[Step]) -> Option<Test> {
        let want = match kind {
            DiscriminatorKind::Value | DiscriminatorKind::Pattern => {
                crate::discriminator::value(self.trie, slice, path, self.tools, self.package)?
            }
            DiscriminatorKind::Exists => {
                let at = crate::discriminator::find(self.trie, slice, path)?;
                let element = self.trie.definition(at)?;
                if element.max == Some(Some(0)) {
                    Want::Exists(false)
                } else if element.min.is_some_and(|min| min > 0) {
                    Want::Exists(true)
                } else {
                    return None;
                }
            }
            DiscriminatorKind::Type => {
                // Behind a reference the type is that of the target.
                let (head, resolves) = match path.split_last() {
                    Some((Step::Resolve, head)) => (head, true),
                    _ => (path, false),
                };
                let at = crate::discriminator::find(self.trie, slice, head)?;
                if resolves {
                    Want::Profile(self.targets(at)?)
                } else {
                    let of = self.trie.get(at)?.of.clone();
                    if of.is_empty() {
                        return None;
                    }
                    Want::Type(of)
                }
            }
            DiscriminatorKind::Profile => {
                let (head, resolves) = match path.split_last() {
                    Some((Step::Resolve, head)) => (head, true),
                    _ => (path, false),
                };
                let at = crate::discriminator::find(self.trie, slice, head)?;
                if resolves {
                    Want::Profile(self.targets(at)?)
                } else {
                    let profiles: Vec<Box<str>> = self
                        .trie
                        .definition(at)?
                        .types
                        .iter()
                        .flat_map(|t| {
                            if t.profiles.is_empty() {
                                vec![format!("{CORE_PROFILES}{}", t.code).into()]
                            } else {
                                t.profiles.clone()
                            }
                        })
                        .collect();
                    if profiles.is_empty() {
                        return None;
                    }
                    Want::Profile(profiles)
                }
            }
        };
        Some(Test {
            steps: path.to_vec(),
            want,
        })
    }

    fn targets(&self, at: At) -> Option<Vec<Box<str>>> {
        let targets: Vec<Box<str>> = self
            .trie
            .definition(at)?
            .types
            .iter()
            .flat_map(|t| t.targets.iter().cloned())
            .collect();
        (!targets.is_empty()).then_some(targets)
    }
}
