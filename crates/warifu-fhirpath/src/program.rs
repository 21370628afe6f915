//! The compiled form of an expression.

use std::fmt;

use regex_lite::Regex;
use warifu_r4::TypeId;

use crate::dec::Dec;
use crate::functions::Function;
use crate::quick::Quick;
use crate::temporal::Temporal;

/// Number of a node of a [`Program`].
pub(crate) type Id = u32;

/// An expression, ready to be evaluated any number of times.
///
/// One flat list of nodes; chains of steps and of operators of one rank are one node each, so that
/// the depth of evaluation is that of the parentheses, which [`Bounds::depth`] limits.
pub struct Program {
    pub(crate) nodes: Vec<Node>,
    /// Operands, steps and arguments of nodes.
    pub(crate) links: Vec<(Op, Id)>,
    pub(crate) root: Id,
    /// The whole, where it only asks what is there.
    pub(crate) quick: Option<Quick>,
    pub(crate) text: Box<str>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.text).finish()
    }
}

impl Program {
    /// The expression it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// How large an expression may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the expression.
    pub bytes: usize,
    /// Parentheses, arguments and signs inside each other.
    pub depth: u32,
    /// Bytes of a compiled regular expression.
    pub regex: usize,
}

impl Bounds {
    /// 64 kB, 64 levels, 256 kB of regular expression.
    pub const DEFAULT: Self = Self {
        bytes: 65_536,
        depth: 64,
        regex: 262_144,
    };
}

/// A run in [`Program::links`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// A regular expression, compiled when the program was.
pub(crate) struct Pattern(pub(crate) Regex);

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[derive(Debug)]
pub(crate) enum Node {
    Empty,
    Bool(bool),
    Int(i64),
    Dec(Dec),
    Str(Box<str>),
    Temporal(Temporal),
    Quantity(Dec, Box<str>, bool),
    This,
    Index,
    Total,
    /// `%name`
    Variable(Box<str>),
    /// A name; `start` is set where no step is before it, with the type it may name.
    Member {
        name: u16,
        text: Box<str>,
        start: Option<TypeId>,
    },
    Call {
        function: Function,
        arguments: Run,
        /// Of `is`, `as`, `ofType`.
        of: Option<TypeSpec>,
        /// Of `matches` and the like with a literal.
        pattern: Option<Pattern>,
    },
    /// Steps, the first on the focus, each further one on what the one before gave.
    Path(Run),
    /// `[n]` on what is before it.
    Indexer(Id),
    /// Operands of one rank from left to right; the first one's operator is not used.
    Chain(Run),
    Minus(Id),
    Plus(Id),
    Is(Id, TypeSpec),
    As(Id, TypeSpec),
}

/// Operators of two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    None,
    Mul,
    Div,
    IntDiv,
    Mod,
    Add,
    Sub,
    Concat,
    Union,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Eq,
    NotEq,
    Equiv,
    NotEquiv,
    In,
    Contains,
    And,
    Or,
    Xor,
    Implies,
}

/// Types that are not FHIR's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemType {
    /// `System.Boolean`
    Boolean,
    /// `System.Integer`
    Integer,
    /// `System.Decimal`
    Decimal,
    /// `System.String`
    String,
    /// `System.Date`
    Date,
    /// `System.DateTime`
    DateTime,
    /// `System.Time`
    Time,
    /// `System.Quantity`
    Quantity,
    /// What `type()` gives.
    ClassInfo,
}

impl SystemType {
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("Boolean", Self::Boolean),
        ("Integer", Self::Integer),
        ("Decimal", Self::Decimal),
        ("String", Self::String),
        ("Date", Self::Date),
        ("DateTime", Self::DateTime),
        ("Time", Self::Time),
        ("Quantity", Self::Quantity),
    ];

    /// Its name without `System.`.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, t)| *t == self)
            .map_or("ClassInfo", |(name, _)| name)
    }
}

/// A type as an expression names it; both where the name has two meanings, none where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeSpec {
    pub(crate) system: Option<SystemType>,
    pub(crate) fhir: Option<TypeId>,
    /// `System.Any`
    pub(crate) any: bool,
}
