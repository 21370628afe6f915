//! Evaluation: one stack of values, on which each node leaves its collection.

use std::rc::Rc;

use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::{Core, TypeId, TypeKind, Typed};

use crate::dec::Dec;
use crate::program::{Bounds, Id, Node, Op, Program, Run, TypeSpec};
use crate::syntax::{SyntaxError, compile};
use crate::temporal::{Temporal, TemporalKind};
use crate::value::{Doc, Item, Quantity, Text, Value};

/// Why an expression has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Several values where one is needed.
    #[error("several values where one is needed")]
    NotSingle,
    /// Several values before `as`, which R4's own expressions write where they mean `ofType`.
    #[error("several values before as: ofType is meant")]
    As,
    /// A value of a type that the operator or function does not take.
    #[error("a value of the wrong type")]
    Type,
    /// `%name` that is not defined.
    #[error("no such variable")]
    Variable,
    /// A variable that is defined already.
    #[error("the variable is defined already")]
    Redefined,
    /// A regular expression that cannot be compiled, or is too large.
    #[error("not a usable regular expression")]
    Pattern,
    /// Units that do not go together, or with a date.
    #[error("a unit that cannot be used here")]
    Unit,
    /// A profile, value set or service that is not at hand.
    #[error("needs something that is not at hand")]
    NotAvailable,
    /// A modifier extension that is not among those expected.
    #[error("an unexpected modifier extension")]
    Modifier,
    /// Beyond [`Limits`].
    #[error("too much work")]
    Limit,
}

impl EvalError {
    /// Whether no document could be held against the expression; else another document may be.
    pub fn is_of_definition(self) -> bool {
        matches!(
            self,
            Self::As | Self::Variable | Self::Redefined | Self::Pattern
        )
    }

    pub(crate) fn before_as(self) -> Self {
        if self == Self::NotSingle {
            Self::As
        } else {
            self
        }
    }
}

pub(crate) type R<T> = Result<T, EvalError>;

/// How much an evaluation may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: each visit of a node, each comparison, each byte of text made.
    pub work: u64,
    /// Values at hand at one time.
    pub values: usize,
    /// Bytes of a text made.
    pub text: usize,
}

impl Limits {
    /// 100 million steps (about a second), 4 million values, 16 MB of text.
    pub const DEFAULT: Self = Self {
        work: 100_000_000,
        values: 4_000_000,
        text: 16_000_000,
    };
}

/// What an expression may ask for outside its document.
///
/// `None` means "not known here": the engine then falls back on what it knows, or says
/// [`EvalError::NotAvailable`].
pub trait Services<'d> {
    /// The resource a reference points at, given the element it stands in.
    fn resolve(&self, _reference: &str, _from: Item) -> Option<Item> {
        None
    }
    /// A document by its number in items.
    fn document(&self, _doc: u16) -> Option<Doc<'d>> {
        None
    }
    /// Whether a code is in a value set.
    fn member_of(&self, _system: Option<&str>, _code: &str, _value_set: &str) -> Option<bool> {
        None
    }
    /// Whether an element follows a profile.
    fn conforms_to(&self, _element: Item, _profile: &str) -> Option<bool> {
        None
    }
    /// Elements of a slice: structure's URL, slice's name.
    fn slice(&self, _element: Item, _structure: &str, _name: &str) -> Option<Vec<Item>> {
        None
    }
    /// Told what `trace()` sees.
    fn trace(&self, _name: &str, _values: &[Value<'d>]) {}
}

struct NoServices;

impl Services<'_> for NoServices {}

/// What surrounds an evaluation.
#[derive(Clone)]
pub struct Env<'d> {
    /// The document, number 0.
    pub doc: Doc<'d>,
    /// `%resource`: the resource that holds the focus.
    pub resource: Option<Item>,
    /// `%rootResource`: the one that holds it, if it is contained.
    pub root_resource: Option<Item>,
    /// `now()`; without it the functions of the clock are [`EvalError::NotAvailable`].
    pub now: Option<Temporal>,
    /// Variables: name without `%`, values.
    pub variables: Vec<(Box<str>, Vec<Value<'d>>)>,
    /// The outside.
    pub services: &'d dyn Services<'d>,
    /// Limits of each evaluation.
    pub limits: Limits,
}

impl<'d> Env<'d> {
    /// No clock, no services; `%resource` and `%rootResource` are the document's root.
    pub fn new(doc: Doc<'d>) -> Self {
        let root = (!doc.tree.is_empty()).then(|| Item::root(doc, warifu_json::ROOT));
        Self {
            doc,
            resource: root,
            root_resource: root,
            now: None,
            variables: Vec::new(),
            services: &NoServices,
            limits: Limits::DEFAULT,
        }
    }
}

/// What a primitive's value is in FHIRPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Complex,
    Boolean,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
    Text,
}

/// Compiles expressions, and knows the types.
#[derive(Debug)]
pub struct Engine {
    pub(crate) core: &'static Core,
    classes: Vec<Class>,
    pub(crate) ids: Ids,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) quantity: TypeId,
    pub(crate) coding: TypeId,
    pub(crate) concept: TypeId,
    pub(crate) reference: TypeId,
    pub(crate) extension: u16,
    pub(crate) modifier: u16,
    pub(crate) url: u16,
    pub(crate) resource_type: u16,
}

impl Engine {
    /// An engine over the table of R4 core.
    pub fn new(core: &'static Core) -> Self {
        let classes = core
            .types()
            .map(|t| match (t.kind(), t.name()) {
                (TypeKind::Primitive, name) => match name {
                    "boolean" => Class::Boolean,
                    "integer" | "positiveInt" | "unsignedInt" => Class::Integer,
                    "decimal" => Class::Decimal,
                    "date" => Class::Date,
                    "dateTime" | "instant" => Class::DateTime,
                    "time" => Class::Time,
                    _ => Class::Text,
                },
                (_, "xhtml") => Class::Text,
                _ => Class::Complex,
            })
            .collect();
        let of = |name| core.type_named(name).unwrap_or(TypeId::NONE);
        Self {
            core,
            classes,
            ids: Ids {
                quantity: of("Quantity"),
                coding: of("Coding"),
                concept: of("CodeableConcept"),
                reference: of("Reference"),
                extension: core.name("extension"),
                modifier: core.name("modifierExtension"),
                url: core.name("url"),
                resource_type: core.name("resourceType"),
            },
        }
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// What is not FHIRPath, names no function or type, or is beyond `bounds`.
    pub fn compile(&self, expression: &str, bounds: Bounds) -> Result<Program, SyntaxError> {
        compile(expression, self.core, bounds)
    }

    pub(crate) fn class(&self, of: TypeId) -> Class {
        self.classes
            .get(usize::from(of.0))
            .copied()
            .unwrap_or(Class::Complex)
    }
}

/// Where a node of the program is evaluated: runs of the stack.
#[derive(Clone, Copy)]
pub(crate) struct Cx {
    /// The focus.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// `$this`.
    pub(crate) this: (usize, usize),
    pub(crate) index: Option<i64>,
    /// `$total`.
    pub(crate) total: Option<(usize, usize)>,
}

impl Cx {
    /// The focus of a new expression: an argument or the inside of parentheses.
    pub(crate) fn outer(self) -> Self {
        Self {
            from: self.this.0,
            to: self.this.1,
            ..self
        }
    }
}

/// Evaluates programs, one after the other; keeps its memory in between.
pub struct Evaluator<'d> {
    pub(crate) engine: &'d Engine,
    pub(crate) env: Env<'d>,
    pub(crate) stack: Vec<Value<'d>>,
    pub(crate) vars: Vec<(Text<'d>, Vec<Value<'d>>)>,
    pub(crate) work: u64,
}

pub(crate) fn ix(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl<'d> Evaluator<'d> {
    /// An evaluator in these surroundings.
    pub fn new(engine: &'d Engine, env: Env<'d>) -> Self {
        Self {
            engine,
            env,
            stack: Vec::new(),
            vars: Vec::new(),
            work: 0,
        }
    }

    /// The surroundings, to change `%resource` between evaluations.
    pub fn env_mut(&mut self) -> &mut Env<'d> {
        &mut self.env
    }

    /// The collection that the expression gives for a focus.
    ///
    /// # Errors
    /// What the specification makes an error, and what is beyond the limits.
    pub fn evaluate(&mut self, program: &'d Program, focus: Value<'d>) -> R<&[Value<'d>]> {
        self.stack.clear();
        self.vars.clear();
        self.work = self.env.limits.work;
        self.stack.push(focus);
        let cx = Cx {
            from: 0,
            to: 1,
            this: (0, 1),
            index: None,
            total: None,
        };
        self.eval(program, program.root, cx)?;
        Ok(self.stack.get(1..).unwrap_or_default())
    }

    /// Whether an invariant holds: it SHALL evaluate to true, so an empty collection breaks it (FHIR R4
    /// §2.27 constraint).
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub fn holds(&mut self, program: &'d Program, focus: Value<'d>) -> R<bool> {
        if let (Some(quick), Value::Item(item)) = (&program.quick, &focus)
            && item.doc == 0
        {
            self.work = self.env.limits.work;
            if let Ok(held) = quick.value(self, *item) {
                return Ok(held.unwrap_or(false));
            }
        }
        self.evaluate(program, focus)?;
        Ok(self.truth(1)?.unwrap_or(false))
    }

    /// Steps that the latest evaluation took.
    pub fn spent(&self) -> u64 {
        self.env.limits.work.saturating_sub(self.work)
    }

    /// Counts steps.
    pub(crate) fn step(&mut self, n: usize) -> R<()> {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        self.work = self.work.checked_sub(n).ok_or(EvalError::Limit)?;
        Ok(())
    }

    pub(crate) fn push(&mut self, value: Value<'d>) -> R<()> {
        if self.stack.len() >= self.env.limits.values {
            return Err(EvalError::Limit);
        }
        self.stack.push(value);
        self.step(1)
    }

    pub(crate) fn push_all(&mut self, values: impl IntoIterator<Item = Value<'d>>) -> R<()> {
        values.into_iter().try_for_each(|v| self.push(v))
    }

    /// Replaces everything from `base` on.
    pub(crate) fn leave(&mut self, base: usize, value: Option<Value<'d>>) -> R<()> {
        self.stack.truncate(base);
        value.map_or(Ok(()), |v| self.push(v))
    }

    /// Removes `base..middle`, which the values behind no longer need.
    pub(crate) fn close(&mut self, base: usize, middle: usize) {
        if middle > base && middle <= self.stack.len() {
            self.stack.drain(base..middle);
        }
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &[Value<'d>] {
        self.stack.get(from..to).unwrap_or_default()
    }

    pub(crate) fn top(&self, base: usize) -> &[Value<'d>] {
        self.stack.get(base..).unwrap_or_default()
    }

    pub(crate) fn get(&self, at: usize) -> Option<Value<'d>> {
        self.stack.get(at).cloned()
    }

    /// The one value from `base` on, if there is any.
    pub(crate) fn single(&self, base: usize) -> R<Option<Value<'d>>> {
        match self.top(base) {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => Err(EvalError::NotSingle),
        }
    }

    /// Singleton evaluation of a collection as a boolean, FHIRPath §4.5.
    pub(crate) fn truth(&self, base: usize) -> R<Option<bool>> {
        match self.top(base) {
            [] => Ok(None),
            [one] => Ok(Some(self.boolean(one).unwrap_or(true))),
            _ => Err(EvalError::NotSingle),
        }
    }

    pub(crate) fn boolean(&self, value: &Value<'d>) -> Option<bool> {
        match value {
            Value::Bool(b) => Some(*b),
            Value::Item(item) => {
                let doc = self.doc(item.doc)?;
                match (self.engine.class(item.of), doc.tree.kind(item.node)) {
                    (Class::Boolean, Kind::True) => Some(true),
                    (Class::Boolean, Kind::False) => Some(false),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(crate) fn doc(&self, number: u16) -> Option<Doc<'d>> {
        if number == 0 {
            return Some(self.env.doc);
        }
        self.env.services.document(number)
    }

    pub(crate) fn run(program: &Program, run: Run) -> &[(Op, Id)] {
        let first = ix(run.first);
        program
            .links
            .get(first..first + ix(run.count))
            .unwrap_or_default()
    }

    pub(crate) fn eval(&mut self, program: &'d Program, id: Id, cx: Cx) -> R<()> {
        self.step(1)?;
        let Some(node) = program.nodes.get(ix(id)) else {
            return Ok(());
        };
        match node {
            Node::Empty => Ok(()),
            Node::Bool(b) => self.push(Value::Bool(*b)),
            Node::Int(n) => self.push(Value::Int(*n)),
            Node::Dec(d) => self.push(Value::dec(*d)),
            Node::Str(text) => self.push(Value::Str(Text::Borrowed(text))),
            Node::Temporal(t) => self.push(Value::temporal(*t)),
            Node::Quantity(value, unit, calendar) => {
                self.push(Value::Quantity(Rc::new(Quantity {
                    value: *value,
                    unit: unit.clone(),
                    calendar: *calendar,
                })))
            }
            Node::This => self.copy(cx.this),
            Node::Index => self.push_all(cx.index.map(Value::Int)),
            Node::Total => cx.total.map_or(Ok(()), |total| self.copy(total)),
            Node::Variable(name) => self.variable(name, program, cx),
            Node::Member { name, text, start } => {
                for at in cx.from..cx.to {
                    self.member(at, *name, text, *start)?;
                }
                Ok(())
            }
            Node::Call {
                function,
                arguments,
                of,
                pattern,
            } => {
                let arguments = Self::run(program, *arguments);
                self.call(program, *function, arguments, *of, pattern.as_ref(), cx)
            }
            Node::Path(run) => {
                let vars = self.vars.len();
                let base = self.stack.len();
                let mut focus = cx;
                for (_, step) in Self::run(program, *run) {
                    let middle = self.stack.len();
                    self.eval(program, *step, focus)?;
                    self.close(base, middle);
                    focus = Cx {
                        from: base,
                        to: self.stack.len(),
                        ..cx
                    };
                }
                self.vars.truncate(vars);
                Ok(())
            }
            Node::Indexer(index) => {
                let base = self.stack.len();
                self.eval(program, *index, cx.outer())?;
                let index = self.single(base)?.map(|v| self.system(&v));
                let found = match index {
                    None => None,
                    Some(Value::Int(n)) => usize::try_from(n)
                        .ok()
                        .and_then(|n| self.slice(cx.from, cx.to).get(n).cloned()),
                    Some(_) => return Err(EvalError::Type),
                };
                self.leave(base, found)
            }
            Node::Chain(run) => self.chain(program, Self::run(program, *run), cx),
            Node::Minus(inner) => {
                let base = self.stack.len();
                self.eval(program, *inner, cx)?;
                let made = match self.single(base)?.map(|v| self.system(&v)) {
                    None => None,
                    Some(Value::Int(n)) => n.checked_neg().map(Value::Int),
                    Some(Value::Dec(d)) => Some(Value::dec(d.negate())),
                    Some(Value::Quantity(q)) => Some(Value::Quantity(Rc::new(Quantity {
                        value: q.value.negate(),
                        ..(*q).clone()
                    }))),
                    Some(_) => return Err(EvalError::Type),
                };
                self.leave(base, made)
            }
            Node::Plus(inner) => {
                let base = self.stack.len();
                self.eval(program, *inner, cx)?;
                match self.single(base)?.map(|v| self.system(&v)) {
                    None | Some(Value::Int(_) | Value::Dec(_) | Value::Quantity(_)) => Ok(()),
                    Some(_) => Err(EvalError::Type),
                }
            }
            Node::Is(inner, of) => {
                let base = self.stack.len();
                self.eval(program, *inner, cx)?;
                let made = self.single(base)?.map(|v| Value::Bool(self.is(&v, *of)));
                self.leave(base, made)
            }
            Node::As(inner, of) => {
                let base = self.stack.len();
                self.eval(program, *inner, cx)?;
                let made = self.single(base).map_err(EvalError::before_as)?;
                let made = made.filter(|v| self.is_exactly(v, *of));
                self.leave(base, made)
            }
        }
    }

    fn copy(&mut self, (from, to): (usize, usize)) -> R<()> {
        for at in from..to {
            if let Some(v) = self.get(at) {
                self.push(v)?;
            }
        }
        Ok(())
    }

    fn chain(&mut self, program: &'d Program, run: &[(Op, Id)], cx: Cx) -> R<()> {
        let base = self.stack.len();
        for (op, id) in run {
            if *op == Op::None {
                self.eval(program, *id, cx)?;
                continue;
            }
            // Decided without the right side?
            if matches!(op, Op::And | Op::Or | Op::Implies) {
                let left = self.truth(base)?;
                let decided = match (op, left) {
                    (Op::And, Some(false)) => Some(false),
                    (Op::Or, Some(true)) | (Op::Implies, Some(false)) => Some(true),
                    _ => None,
                };
                if decided.is_some() {
                    self.leave(base, decided.map(Value::Bool))?;
                    continue;
                }
            }
            let middle = self.stack.len();
            self.eval(program, *id, cx)?;
            self.operate(*op, base, middle)?;
        }
        Ok(())
    }

    fn variable(&mut self, name: &'d str, program: &'d Program, cx: Cx) -> R<()> {
        let _ = (program, cx);
        if let Some(n) = self.vars.iter().rposition(|(n, _)| n.as_str() == name) {
            let count = self.vars.get(n).map_or(0, |(_, v)| v.len());
            for k in 0..count {
                let value = self.vars.get(n).and_then(|(_, v)| v.get(k)).cloned();
                self.push_all(value)?;
            }
            return Ok(());
        }
        let item = |i: Option<Item>| i.map(Value::Item);
        match name {
            "context" => self.copy((0, 1)),
            "resource" => {
                let v = item(self.env.resource);
                self.push_all(v)
            }
            "rootResource" => {
                let v = item(self.env.root_resource);
                self.push_all(v)
            }
            "ucum" => self.push(Value::Str(Text::Borrowed("http://unitsofmeasure.org"))),
            "sct" => self.push(Value::Str(Text::Borrowed("http://snomed.info/sct"))),
            "loinc" => self.push(Value::Str(Text::Borrowed("http://loinc.org"))),
            "us-zip" => self.push(Value::Str(Text::Borrowed("[0-9]{5}(-[0-9]{4}){0,1}"))),
            _ => {
                if let Some(n) = self.env.variables.iter().position(|(n, _)| &**n == name) {
                    let values = self.env.variables.get(n).map(|(_, v)| v.clone());
                    return self.push_all(values.unwrap_or_default());
                }
                if let Some(rest) = name.strip_prefix("vs-") {
                    let url = format!("http://hl7.org/fhir/ValueSet/{rest}");
                    return self.push(Value::owned(url));
                }
                if let Some(rest) = name.strip_prefix("ext-") {
                    let url = format!("http://hl7.org/fhir/StructureDefinition/{rest}");
                    return self.push(Value::owned(url));
                }
                Err(EvalError::Variable)
            }
        }
    }

    /// Pushes the elements that a name gives for the value at a place of the stack.
    pub(crate) fn member(
        &mut self,
        at: usize,
        name: u16,
        text: &str,
        start: Option<TypeId>,
    ) -> R<()> {
        let item = match self.stack.get(at) {
            Some(Value::Item(item)) => *item,
            Some(Value::Class(space, of)) => {
                let found = match text {
                    "namespace" => Some(*space),
                    "name" => Some(*of),
                    _ => None,
                };
                return self.push_all(found.map(|t| Value::Str(Text::Borrowed(t))));
            }
            Some(Value::Quantity(q)) => {
                let found = match text {
                    "value" => Some(Value::dec(q.value)),
                    "unit" | "code" => Some(Value::owned(q.unit.as_ref())),
                    _ => None,
                };
                return self.push_all(found);
            }
            _ => return Ok(()),
        };
        if start.is_some_and(|of| self.engine.core.is_a(item.of, of)) {
            return self.push(Value::Item(item));
        }
        self.item_member(item, name, text)
    }

    /// Pushes the elements with a name below an element.
    pub(crate) fn item_member(&mut self, item: Item, name: u16, text: &str) -> R<()> {
        let Some(doc) = self.doc(item.doc) else {
            return Ok(());
        };
        let tree = doc.tree;
        let owner = if tree.kind(item.node) == Kind::Object {
            item.node
        } else {
            item.twin
        };
        if owner == NONE || tree.kind(owner) != Kind::Object {
            return Ok(());
        }
        let (mut value, mut twin) = (NONE, NONE);
        let mut seen = 0;
        for child in tree.children(owner) {
            seen += 1;
            let typed = typed(doc, child);
            let same = if name != 0 {
                typed.name == name
            } else {
                typed.name == 0 && {
                    let key = tree.key(child);
                    key.strip_prefix('_').unwrap_or(&key) == text
                }
            };
            if same {
                if tree.is_twin(child) {
                    twin = child;
                } else if value == NONE {
                    value = child;
                    if self.engine.class(typed.of) == Class::Complex && typed.of != TypeId::NONE {
                        break;
                    }
                }
            }
        }
        self.step(seen)?;
        self.element(doc, item.doc, value, twin)
    }

    /// Pushes what a key and its twin hold: one element, or each of an array.
    pub(crate) fn element(
        &mut self,
        doc: Doc<'d>,
        number: u16,
        value: NodeId,
        twin: NodeId,
    ) -> R<()> {
        let tree = doc.tree;
        let first = if value == NONE { twin } else { value };
        if first == NONE {
            return Ok(());
        }
        if tree.kind(first) != Kind::Array {
            let (of, node) = (typed(doc, first).of, null(doc, value));
            let twin = null(doc, twin);
            if node == NONE && twin == NONE {
                return Ok(());
            }
            return self.push(Value::Item(Item {
                node,
                twin,
                of,
                doc: number,
            }));
        }
        let list = |id: NodeId| tree.children(if id == NONE { u32::MAX } else { id });
        let mut twins = list(twin);
        let mut values = list(value);
        loop {
            let (v, t) = (values.next(), twins.next());
            let Some(any) = v.or(t) else {
                return Ok(());
            };
            let node = null(doc, v.unwrap_or(NONE));
            let twin = null(doc, t.unwrap_or(NONE));
            if node != NONE || twin != NONE {
                let of = typed(doc, if node == NONE { any } else { node }).of;
                self.push(Value::Item(Item {
                    node,
                    twin,
                    of,
                    doc: number,
                }))?;
            }
        }
    }

    /// Pushes all elements below an element.
    pub(crate) fn children(&mut self, item: Item) -> R<()> {
        let Some(doc) = self.doc(item.doc) else {
            return Ok(());
        };
        let tree = doc.tree;
        for owner in [item.node, item.twin] {
            if owner == NONE || tree.kind(owner) != Kind::Object {
                continue;
            }
            let twins = tree.children(owner).any(|c| tree.is_twin(c));
            for child in tree.children(owner) {
                self.step(1)?;
                if tree.name(child) == self.engine.ids.resource_type {
                    continue;
                }
                if !twins {
                    self.element(doc, item.doc, child, NONE)?;
                    continue;
                }
                let key = tree.key(child);
                let is_twin = tree.is_twin(child);
                let mut other = NONE;
                let mut seen = 0;
                for c in tree.children(owner) {
                    seen += 1;
                    let names = tree.name(c) == tree.name(child) && tree.is_twin(c) != is_twin;
                    if names && tree.key(c).trim_start_matches('_') == key.trim_start_matches('_') {
                        other = c;
                        break;
                    }
                }
                self.step(seen)?;
                match (is_twin, other) {
                    (false, _) => self.element(doc, item.doc, child, other)?,
                    (true, NONE) => self.element(doc, item.doc, NONE, child)?,
                    (true, _) => {}
                }
            }
        }
        Ok(())
    }

    /// Pushes all elements below the values of a run, each before those below it.
    pub(crate) fn descendants(&mut self, from: usize, to: usize) -> R<()> {
        let base = self.stack.len();
        for at in from..to {
            if let Some(Value::Item(item)) = self.get(at) {
                self.children(item)?;
            }
        }
        let mut next = base;
        while next < self.stack.len() {
            if let Some(Value::Item(item)) = self.get(next) {
                self.children(item)?;
            }
            next += 1;
        }
        Ok(())
    }

    /// The type of a value: namespace and name.
    pub(crate) fn class_of(&self, value: &Value<'d>) -> (&'static str, &'static str) {
        match value.system_type() {
            Some(of) => ("System", of.name()),
            None => match value {
                Value::Item(item) => ("FHIR", self.engine.core.type_(item.of).name()),
                _ => ("System", "Any"),
            },
        }
    }

    pub(crate) fn is(&self, value: &Value<'d>, of: TypeSpec) -> bool {
        if of.any {
            return true;
        }
        match value {
            Value::Item(item) => of.fhir.is_some_and(|of| self.engine.core.is_a(item.of, of)),
            other => of.system.is_some() && other.system_type() == of.system,
        }
    }

    /// For `as` and `ofType`: primitives must have the type itself.
    pub(crate) fn is_exactly(&self, value: &Value<'d>, of: TypeSpec) -> bool {
        match (value, of.fhir) {
            (Value::Item(item), Some(of)) if self.engine.class(of) != Class::Complex => {
                item.of == of
            }
            _ => self.is(value, of),
        }
    }

    /// A primitive as a value of FHIRPath, a FHIR quantity as a quantity; others as they are.
    pub(crate) fn system(&self, value: &Value<'d>) -> Value<'d> {
        let Value::Item(item) = value else {
            return value.clone();
        };
        let Some(doc) = self.doc(item.doc) else {
            return value.clone();
        };
        let text = || Value::Str(doc.tree.text(item.node).into());
        let temporal = |kind| {
            let text = doc.tree.text(item.node);
            match Temporal::parse(&text, kind) {
                Some(t) => Value::temporal(t),
                None => Value::Str(text.into()),
            }
        };
        match (doc.tree.kind(item.node), self.engine.class(item.of)) {
            (Kind::String, Class::Date) => temporal(TemporalKind::Date),
            (Kind::String, Class::DateTime) => temporal(TemporalKind::DateTime),
            (Kind::String, Class::Time) => temporal(TemporalKind::Time),
            (Kind::String, _) => text(),
            (Kind::True, _) => Value::Bool(true),
            (Kind::False, _) => Value::Bool(false),
            (Kind::Number, class) => {
                let digits = doc.tree.text(item.node);
                match (Dec::parse(&digits), class) {
                    (Some(d), Class::Integer) if d.is_whole() => {
                        d.truncate().map_or_else(text, Value::Int)
                    }
                    (Some(d), _) => Value::dec(d),
                    (None, _) => text(),
                }
            }
            (Kind::Object, Class::Complex)
                if self.engine.core.is_a(item.of, self.engine.ids.quantity) =>
            {
                match quantity(doc, *item) {
                    Some(q) => Value::Quantity(Rc::new(q)),
                    None => value.clone(),
                }
            }
            _ => value.clone(),
        }
    }

    /// Text of a value that is one.
    pub(crate) fn text_of(&self, value: &Value<'d>) -> Option<Text<'d>> {
        match value {
            Value::Str(text) => Some(text.clone()),
            Value::Item(item) => {
                let doc = self.doc(item.doc)?;
                (doc.tree.kind(item.node) == Kind::String).then(|| {
                    match doc.tree.plain(item.node) {
                        Some(text) => Text::Borrowed(text),
                        None => doc.tree.text(item.node).into(),
                    }
                })
            }
            _ => None,
        }
    }

    /// The value as it would stand in a document.
    pub fn text(&self, value: &Value<'d>) -> Option<String> {
        Some(match self.system(value) {
            Value::Item(_) | Value::Class(..) => return None,
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Dec(d) => d.to_string(),
            Value::Str(t) => t.as_str().to_owned(),
            Value::Temporal(t) => t.to_string(),
            Value::Quantity(q) if q.calendar => format!("{} {}", q.value, q.unit),
            Value::Quantity(q) => format!("{} '{}'", q.value, q.unit),
        })
    }

    /// Name of the value's type: `FHIR` or `System`, and the name in it.
    pub fn type_of(&self, value: &Value<'d>) -> (&'static str, &'static str) {
        self.class_of(value)
    }
}

/// A FHIR quantity without comparator.
fn quantity(doc: Doc<'_>, item: Item) -> Option<Quantity> {
    let tree = doc.tree;
    let value = Dec::parse(&tree.text(tree.member(item.node, "value")?))?;
    let text = |key: &str| {
        let id = tree.member(item.node, key)?;
        Some(tree.text(id))
    };
    if text("comparator").is_some() {
        return None;
    }
    let ucum = text("system").is_some_and(|s| s == "http://unitsofmeasure.org");
    let unit = if ucum {
        text("code")
    } else {
        text("code").or_else(|| text("unit"))
    };
    let unit = unit.unwrap_or_else(|| {
        if text("unit").is_some() {
            "".into()
        } else {
            "1".into()
        }
    });
    Some(Quantity {
        value,
        unit: unit.as_ref().into(),
        calendar: false,
    })
}

pub(crate) fn typed(doc: Doc<'_>, id: NodeId) -> Typed {
    doc.typed.get(ix(id)).copied().unwrap_or(Typed::UNKNOWN)
}

/// `null` stands for nothing.
pub(crate) fn null(doc: Doc<'_>, id: NodeId) -> NodeId {
    if id != NONE && doc.tree.kind(id) == Kind::Null {
        NONE
    } else {
        id
    }
}
