//! Expressions that only ask which elements are there, or whether one has a given text: most invariants.
//! They are decided without the stack.

use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::TypeId;

use crate::eval::{Class, Evaluator, ix, null, typed};
use crate::functions::Function;
use crate::program::{Id, Node, Op, Program};
use crate::value::Item;

/// Such an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Quick {
    /// `name.exists()`, or `name.empty()`.
    Has(u16, bool),
    /// `name = 'text'`, or `name != 'text'`.
    Is(u16, Box<str>, bool),
    /// Operands of one rank from left to right.
    Chain(Vec<(Op, Quick)>),
}

/// Evaluation has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecided;

impl Quick {
    /// The program as such an expression, if it is one.
    pub(crate) fn of(program: &Program) -> Option<Self> {
        part(program, program.root)
    }

    /// Its value for an element; `None` is the empty collection.
    pub(crate) fn value(
        &self,
        run: &mut Evaluator<'_>,
        item: Item,
    ) -> Result<Option<bool>, Undecided> {
        match self {
            Self::Has(name, wanted) => {
                let (value, twin) = run.find(item, *name)?;
                Ok(Some(run.is_there(value, twin) == *wanted))
            }
            Self::Is(name, text, wanted) => {
                let (value, twin) = run.find(item, *name)?;
                let doc = run.env.doc;
                if value == NONE && twin == NONE {
                    return Ok(None);
                }
                let is_text = doc.tree.kind(value) == Kind::String
                    && run.engine.class(typed(doc, value).of) == Class::Text;
                if !is_text {
                    return Err(Undecided);
                }
                Ok(Some(doc.tree.is_text(value, text) == *wanted))
            }
            Self::Chain(operands) => {
                let mut left = None;
                for (op, operand) in operands {
                    let right = |run: &mut Evaluator<'_>| operand.value(run, item);
                    left = match (op, left) {
                        (Op::None, _) => right(run)?,
                        (Op::And, Some(false)) | (Op::Or, Some(true)) => left,
                        (Op::Implies, Some(false)) => Some(true),
                        (Op::And, left) => match (left, right(run)?) {
                            (_, Some(false)) => Some(false),
                            (Some(true), Some(true)) => Some(true),
                            _ => None,
                        },
                        (Op::Or, left) => match (left, right(run)?) {
                            (_, Some(true)) => Some(true),
                            (Some(false), Some(false)) => Some(false),
                            _ => None,
                        },
                        (Op::Implies, left) => match (left, right(run)?) {
                            (_, Some(true)) => Some(true),
                            (Some(true), Some(false)) => Some(false),
                            _ => None,
                        },
                        (Op::Xor | Op::NotEq, left) => left.zip(right(run)?).map(|(l, r)| l != r),
                        (Op::Eq, left) => left.zip(right(run)?).map(|(l, r)| l == r),
                        _ => return Err(Undecided),
                    };
                }
                Ok(left)
            }
        }
    }
}

fn node(program: &Program, id: Id) -> Option<&Node> {
    program.nodes.get(ix(id))
}

fn member(program: &Program, id: Id) -> Option<u16> {
    match node(program, id)? {
        Node::Member {
            name, start: None, ..
        } if *name != 0 => Some(*name),
        Node::Path(run) => match Evaluator::run(program, *run) {
            [(_, only)] => member(program, *only),
            _ => None,
        },
        _ => None,
    }
}

fn part(program: &Program, id: Id) -> Option<Quick> {
    match node(program, id)? {
        Node::Path(run) => match Evaluator::run(program, *run) {
            [(_, only)] => part(program, *only),
            [(_, first), (_, call)] => {
                let Node::Call {
                    function,
                    arguments,
                    ..
                } = node(program, *call)?
                else {
                    return None;
                };
                let wanted = match function {
                    Function::Exists if arguments.count == 0 => true,
                    Function::Empty => false,
                    _ => return None,
                };
                Some(Quick::Has(member(program, *first)?, wanted))
            }
            _ => None,
        },
        Node::Chain(run) => {
            let operands = Evaluator::run(program, *run);
            if let [(_, left), (op @ (Op::Eq | Op::NotEq), right)] = operands
                && let Some(name) = member(program, *left)
                && let Node::Str(text) = node(program, *right)?
            {
                return Some(Quick::Is(name, text.clone(), *op == Op::Eq));
            }
            let known = |op: &Op| {
                matches!(
                    op,
                    Op::None | Op::And | Op::Or | Op::Implies | Op::Xor | Op::Eq | Op::NotEq
                )
            };
            operands
                .iter()
                .map(|(op, id)| known(op).then_some((*op, part(program, *id)?)))
                .collect::<Option<_>>()
                .map(Quick::Chain)
        }
        _ => None,
    }
}

impl Evaluator<'_> {
    /// What stands under a name and its twin.
    fn find(&mut self, item: Item, name: u16) -> Result<(NodeId, NodeId), Undecided> {
        let doc = self.env.doc;
        let owner = if doc.tree.kind(item.node) == Kind::Object {
            item.node
        } else {
            item.twin
        };
        let (mut value, mut twin) = (NONE, NONE);
        if doc.tree.kind(owner) == Kind::Object {
            let mut seen = 0;
            for child in doc.tree.children(owner) {
                seen += 1;
                let own = typed(doc, child);
                if own.name == name {
                    if doc.tree.is_twin(child) {
                        twin = child;
                    } else if value == NONE {
                        value = child;
                        // Nothing stands beside what has elements.
                        if self.engine.class(own.of) == Class::Complex && own.of != TypeId::NONE {
                            break;
                        }
                    }
                }
            }
            self.step(seen).map_err(|_| Undecided)?;
        }
        Ok((value, twin))
    }

    /// Whether these give any element.
    fn is_there(&self, value: NodeId, twin: NodeId) -> bool {
        let doc = self.env.doc;
        let first = if value == NONE { twin } else { value };
        if first == NONE {
            return false;
        }
        if doc.tree.kind(first) != Kind::Array {
            return null(doc, value) != NONE || null(doc, twin) != NONE;
        }
        let any = |list: NodeId| doc.tree.children(list).any(|c| null(doc, c) != NONE);
        any(value) || any(twin)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may fail loudly"
    )]

    use warifu_json::{Limits, ROOT, parse};
    use warifu_r4::{Core, annotate};

    use super::*;
    use crate::{Bounds, Doc, Engine, Env, Value};

    fn names(quick: &Quick, all: &mut Vec<(u16, Option<String>)>) {
        match quick {
            Quick::Has(name, _) => all.push((*name, None)),
            Quick::Is(name, text, _) => all.push((*name, Some(text.to_string()))),
            Quick::Chain(operands) => operands.iter().for_each(|(_, q)| names(q, all)),
        }
    }

    /// Values an element can have here: nothing, null, an empty list, a twin only, or one.
    fn forms(name: &str, text: Option<&String>) -> Vec<String> {
        let mut forms: Vec<String> = [
            "null", "[]", "[null]", "{}", "[{}]", "\"x\"", "[\"x\"]", "1",
        ]
        .iter()
        .map(|value| format!("\"{name}\": {value}"))
        .collect();
        forms.push(String::new());
        forms.push(format!("\"_{name}\": {{\"id\": \"a\"}}"));
        forms.push(format!("\"_{name}\": [null, {{\"id\": \"a\"}}]"));
        if let Some(text) = text {
            forms.push(format!("\"{name}\": \"{text}\""));
        }
        forms
    }

    fn check(engine: &Engine, program: &Program, of: TypeId, source: &str) {
        let core = Core::builtin();
        let tree = parse(source.as_bytes(), Limits::FHIR, core).tree;
        let typed = annotate(core, &tree, Some(of));
        let doc = Doc {
            tree: &tree,
            typed: &typed,
        };
        let focus = || Value::Item(Item::root(doc, ROOT));
        let quickly = Evaluator::new(engine, Env::new(doc)).holds(program, focus());
        let mut slow = Evaluator::new(engine, Env::new(doc));
        let slowly = slow
            .evaluate(program, focus())
            .map(drop)
            .and_then(|()| Ok(slow.truth(1)?.unwrap_or(false)));
        assert_eq!(quickly, slowly, "{program:?} {source}");
    }

    #[test]
    fn invariants_of_core_are_decided_as_by_evaluation() {
        let core = Core::builtin();
        let engine = Engine::new(core);
        let mut seen = 0;
        for of in core.types() {
            let own = of.invariants();
            let of_elements = of.elements().flat_map(|e| {
                let only = e.types().len() == 1;
                let of = e.types().next().map(warifu_r4::TypeRef::of);
                e.invariants().filter(move |_| only).map(move |i| (i, of))
            });
            let all = own.map(|i| (i, Some(of.id()))).chain(of_elements);
            for (invariant, of) in all.filter_map(|(i, of)| Some((i, of?))) {
                let Ok(program) = engine.compile(invariant.expression(), Bounds::DEFAULT) else {
                    continue;
                };
                let Some(quick) = &program.quick else {
                    continue;
                };
                seen += 1;
                let mut asked = Vec::new();
                names(quick, &mut asked);
                warifu_order::sort(&mut asked);
                asked.dedup_by_key(|(name, _)| *name);
                let asked: Vec<Vec<String>> = asked
                    .iter()
                    .map(|(name, text)| forms(core.name_text(*name), text.as_ref()))
                    .collect();
                // Every form of each two neighbours, the others as the round has them.
                for round in 0..24 {
                    for n in 0..asked.len() {
                        for form in &asked[n] {
                            let parts: Vec<&str> = asked
                                .iter()
                                .enumerate()
                                .map(|(m, forms)| {
                                    if m == n {
                                        form.as_str()
                                    } else {
                                        forms[(round * (m + 1) + m) % forms.len()].as_str()
                                    }
                                })
                                .filter(|p| !p.is_empty())
                                .collect();
                            let source = format!("{{{}}}", parts.join(", "));
                            check(&engine, &program, of, &source);
                        }
                    }
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn other_expressions_are_left_to_evaluation() {
        let engine = Engine::new(Core::builtin());
        let quick = |text: &str| {
            let program = engine.compile(text, Bounds::DEFAULT).unwrap();
            program.quick.is_some()
        };
        assert!(quick("value.empty() or system.exists()"));
        assert!(quick("(type = 'a') implies (b.exists() xor name.empty())") == quick("b.exists()"));
        for text in [
            "text.status.exists()",
            "name.exists(use = 'official')",
            "name.count() > 1",
            "Patient.exists()",
            "unknownName.exists()",
            "birthDate < deceased",
        ] {
            assert!(!quick(text), "{text}");
        }
    }
}
