//! Values of a collection.

use std::borrow::Cow;
use std::rc::Rc;

use warifu_json::{NONE, NodeId, Tree};
use warifu_r4::{TypeId, Typed};

use crate::dec::Dec;
use crate::program::SystemType;
use crate::temporal::{Temporal, TemporalKind};

/// A document and what its nodes are.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'d> {
    /// The tree.
    pub tree: &'d Tree<'d>,
    /// What [`warifu_r4::annotate`] says of its nodes.
    pub typed: &'d [Typed],
}

/// An element of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its value; [`NONE`] where only its id or extensions are given.
    pub node: NodeId,
    /// What stands under the key with `_`; [`NONE`] if nothing does.
    pub twin: NodeId,
    /// Its type.
    pub of: TypeId,
    /// Which document: 0 is the one evaluation began with.
    pub doc: u16,
}

impl Item {
    /// A node of the first document, without a twin.
    pub fn root(doc: Doc<'_>, node: NodeId) -> Self {
        let of = usize::try_from(node).ok().and_then(|n| doc.typed.get(n));
        Self {
            node,
            twin: NONE,
            of: of.map_or(TypeId::NONE, |t| t.of),
            doc: 0,
        }
    }
}

/// Text of a document or expression, or made on the way.
#[derive(Debug, Clone)]
pub enum Text<'d> {
    /// Stands somewhere.
    Borrowed(&'d str),
    /// Made.
    Owned(Rc<str>),
}

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(t) => t,
            Text::Owned(t) => t,
        }
    }
}

impl<'d> From<Cow<'d, str>> for Text<'d> {
    fn from(text: Cow<'d, str>) -> Self {
        match text {
            Cow::Borrowed(t) => Text::Borrowed(t),
            Cow::Owned(t) => Text::Owned(t.into()),
        }
    }
}

/// A number with a unit.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// The number.
    pub value: Dec,
    /// UCUM code, or the word of a calendar duration.
    pub unit: Box<str>,
    /// Whether the unit is a word (`days`).
    pub calendar: bool,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Value<'d> {
    /// An element of a document.
    Item(Item),
    /// `System.Boolean`
    Bool(bool),
    /// `System.Integer`
    Int(i64),
    /// `System.Decimal`
    Dec(Rc<Dec>),
    /// `System.String`
    Str(Text<'d>),
    /// `System.Date`, `DateTime` or `Time`
    Temporal(Rc<Temporal>),
    /// `System.Quantity`
    Quantity(Rc<Quantity>),
    /// Namespace and name of a type.
    Class(&'static str, &'static str),
}

impl Value<'_> {
    /// Its type if it is none of FHIR's.
    pub fn system_type(&self) -> Option<SystemType> {
        Some(match self {
            Value::Item(_) => return None,
            Value::Bool(_) => SystemType::Boolean,
            Value::Int(_) => SystemType::Integer,
            Value::Dec(_) => SystemType::Decimal,
            Value::Str(_) => SystemType::String,
            Value::Temporal(t) => match t.kind {
                TemporalKind::Date => SystemType::Date,
                TemporalKind::DateTime => SystemType::DateTime,
                TemporalKind::Time => SystemType::Time,
            },
            Value::Quantity(_) => SystemType::Quantity,
            Value::Class(..) => SystemType::ClassInfo,
        })
    }

    pub(crate) fn dec(value: Dec) -> Self {
        Value::Dec(Rc::new(value))
    }

    pub(crate) fn temporal(value: Temporal) -> Self {
        Value::Temporal(Rc::new(value))
    }

    pub(crate) fn owned(text: impl Into<Rc<str>>) -> Self {
        Value::Str(Text::Owned(text.into()))
    }
}
