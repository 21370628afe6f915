//! Strict mode: which types an expression can meet, without a document.

use warifu_r4::{TypeId, TypeKind};

use crate::eval::{Engine, ix};
use crate::functions::Function as F;
use crate::program::{Id, Node, Op, Program, SystemType, TypeSpec};

/// Why an expression cannot be meant for a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SemanticError {
    /// No type that can be here has an element of this name.
    #[error("no element {0}")]
    Element(Box<str>),
    /// A place in a collection that has no order.
    #[error("the collection has no order")]
    Unordered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Fhir(TypeId),
    System(SystemType),
}

/// What a collection may hold; `None`: anything.
#[derive(Debug, Clone)]
struct Ty {
    of: Option<Vec<Of>>,
    ordered: bool,
}

const ANY: Ty = Ty {
    of: None,
    ordered: true,
};

impl Ty {
    fn system(of: SystemType) -> Self {
        Self {
            of: Some(vec![Of::System(of)]),
            ordered: true,
        }
    }
    fn join(self, other: Self) -> Self {
        Self {
            of: self.of.zip(other.of).map(|(mut a, b)| {
                a.extend(b);
                a.dedup();
                a
            }),
            ordered: true,
        }
    }
}

type R = Result<Ty, SemanticError>;

impl Engine {
    /// Whether an expression can be meant for elements of a type: every name is an element of a type
    /// that can be met there, and no place is asked of a collection without order.
    ///
    /// # Errors
    /// The first name or place that cannot be.
    pub fn check(&self, program: &Program, of: TypeId) -> Result<(), SemanticError> {
        let input = Ty {
            of: Some(vec![Of::Fhir(of)]),
            ordered: true,
        };
        Checker {
            engine: self,
            program,
        }
        .infer(program.root, &input, &input)
        .map(|_| ())
    }
}

struct Checker<'e> {
    engine: &'e Engine,
    program: &'e Program,
}

impl Checker<'_> {
    fn infer(&self, id: Id, input: &Ty, this: &Ty) -> R {
        let Some(node) = self.program.nodes.get(ix(id)) else {
            return Ok(ANY);
        };
        Ok(match node {
            Node::Empty => Ty {
                of: Some(Vec::new()),
                ordered: true,
            },
            Node::Bool(_) => Ty::system(SystemType::Boolean),
            Node::Int(_) | Node::Index => Ty::system(SystemType::Integer),
            Node::Dec(_) => Ty::system(SystemType::Decimal),
            Node::Str(_) => Ty::system(SystemType::String),
            Node::Temporal(_) | Node::Total | Node::Variable(_) => ANY,
            Node::Quantity(..) => Ty::system(SystemType::Quantity),
            Node::This => this.clone(),
            Node::Member { name, text, start } => self.member(input, *name, text, *start)?,
            Node::Call {
                function,
                arguments,
                of,
                ..
            } => {
                let first = ix(arguments.first);
                let list = self.program.links.get(first..first + ix(arguments.count));
                self.call(*function, list.unwrap_or_default(), *of, input, this)?
            }
            Node::Path(run) => {
                let first = ix(run.first);
                let steps = self.program.links.get(first..first + ix(run.count));
                let mut at = input.clone();
                for (_, step) in steps.unwrap_or_default() {
                    at = self.infer(*step, &at, this)?;
                }
                at
            }
            Node::Indexer(index) => {
                self.infer(*index, this, this)?;
                Self::place(input)?
            }
            Node::Chain(run) => {
                let first = ix(run.first);
                let links = self.program.links.get(first..first + ix(run.count));
                let mut made = ANY;
                for (op, id) in links.unwrap_or_default() {
                    let side = self.infer(*id, input, this)?;
                    made = match op {
                        Op::None => side,
                        Op::Union => made.join(side),
                        Op::Mul | Op::Div | Op::Add | Op::Sub | Op::Mod => ANY,
                        Op::IntDiv => Ty::system(SystemType::Integer),
                        Op::Concat => Ty::system(SystemType::String),
                        _ => Ty::system(SystemType::Boolean),
                    };
                }
                made
            }
            Node::Minus(inner) | Node::Plus(inner) => self.infer(*inner, input, this)?,
            Node::Is(inner, _) => {
                self.infer(*inner, input, this)?;
                Ty::system(SystemType::Boolean)
            }
            Node::As(inner, of) => {
                self.infer(*inner, input, this)?;
                spec(*of)
            }
        })
    }

    fn place(input: &Ty) -> R {
        if input.ordered {
            Ok(input.clone())
        } else {
            Err(SemanticError::Unordered)
        }
    }

    fn member(&self, input: &Ty, name: u16, text: &str, start: Option<TypeId>) -> R {
        let core = self.engine.core;
        let Some(list) = &input.of else {
            return Ok(ANY);
        };
        if list.is_empty() {
            return Ok(input.clone());
        }
        let mut made: Vec<Of> = Vec::new();
        let mut any = false;
        let mut found = false;
        for of in list {
            let Of::Fhir(of) = of else {
                any |= matches!(of, Of::System(SystemType::Quantity | SystemType::ClassInfo));
                continue;
            };
            if let Some(start) = start
                && (core.is_a(*of, start) || core.is_a(start, *of))
            {
                made.push(Of::Fhir(start));
                found = true;
                continue;
            }
            let own = core.type_(*of);
            any |= own.is_abstract() || own.kind() == TypeKind::Primitive && text == "value";
            for element in own.elements().filter(|e| name != 0 && e.name_id() == name) {
                found = true;
                made.extend(element.types().map(|t| Of::Fhir(t.of())));
            }
        }
        if any {
            return Ok(ANY);
        }
        if !found {
            return Err(SemanticError::Element(text.into()));
        }
        Ok(Ty {
            of: Some(made),
            ordered: input.ordered,
        })
    }

    fn call(
        &self,
        function: F,
        list: &[(Op, Id)],
        of: Option<TypeSpec>,
        input: &Ty,
        this: &Ty,
    ) -> R {
        let argument = |n: usize| list.get(n).map(|(_, id)| *id);
        let plain = |n: usize| argument(n).map_or(Ok(ANY), |id| self.infer(id, this, this));
        let lambda = |n: usize| argument(n).map_or(Ok(ANY), |id| self.infer(id, input, input));
        Ok(match function {
            F::Where | F::All | F::Exists => {
                lambda(0)?;
                if function == F::Where {
                    input.clone()
                } else {
                    Ty::system(SystemType::Boolean)
                }
            }
            F::Select => lambda(0)?,
            F::Iif => {
                lambda(0)?;
                lambda(1)?.join(lambda(2)?)
            }
            F::OfType | F::As => of.map_or(ANY, spec),
            F::First | F::Last | F::Tail | F::Skip | F::Take => {
                plain(0)?;
                Self::place(input)?
            }
            F::Single | F::Distinct | F::Trace => input.clone(),
            F::Intersect | F::Exclude => {
                plain(0)?;
                input.clone()
            }
            F::Union | F::Combine => input.clone().join(plain(0)?),
            F::Children | F::Descendants => Ty {
                of: None,
                ordered: false,
            },
            F::Extension => self.member(input, self.engine.ids.extension, "extension", None)?,
            F::Empty
            | F::HasValue
            | F::Not
            | F::AllTrue
            | F::AnyTrue
            | F::AllFalse
            | F::AnyFalse => Ty::system(SystemType::Boolean),
            F::Count | F::Length | F::ToInteger => Ty::system(SystemType::Integer),
            F::ToStr | F::Upper | F::Lower | F::Join => Ty::system(SystemType::String),
            _ => ANY,
        })
    }
}

fn spec(of: TypeSpec) -> Ty {
    if of.any {
        return ANY;
    }
    let of = of
        .fhir
        .map(Of::Fhir)
        .into_iter()
        .chain(of.system.map(Of::System));
    Ty {
        of: Some(of.collect()),
        ordered: true,
    }
}
