//! The functions.

use std::cmp::Ordering;
use std::rc::Rc;

use warifu_json::{Kind, NONE, NodeId};
use warifu_r4::{TypeId, TypeKind};

use crate::compare::{Seen, comparable, order};
use crate::dec::Dec;
use crate::eval::{Class, Cx, EvalError, Evaluator, R, typed};
use crate::functions::Function as F;
use crate::html::check_narrative;
use crate::program::{Bounds, Id, Node, Op, Pattern, Program, SystemType, TypeSpec};
use crate::syntax::regex;
use crate::temporal::{Temporal, TemporalKind};
use crate::text;
use crate::value::{Doc, Item, Quantity, Text, Value};

type Arguments<'a> = &'a [(Op, Id)];

const CORE_PROFILES: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'d> Evaluator<'d> {
    /// Pushes the values of an argument; the place of the first.
    fn argument(
        &mut self,
        program: &'d Program,
        list: Arguments<'_>,
        n: usize,
        cx: Cx,
    ) -> R<usize> {
        let base = self.stack.len();
        if let Some((_, id)) = list.get(n) {
            self.eval(program, *id, cx.outer())?;
        }
        Ok(base)
    }

    /// The one value of an argument, taken off the stack.
    fn value_argument(
        &mut self,
        program: &'d Program,
        list: Arguments<'_>,
        n: usize,
        cx: Cx,
    ) -> R<Option<Value<'d>>> {
        let base = self.argument(program, list, n, cx)?;
        let value = self.single(base)?.map(|v| self.system(&v));
        self.stack.truncate(base);
        Ok(value)
    }

    fn text_argument(
        &mut self,
        program: &'d Program,
        list: Arguments<'_>,
        n: usize,
        cx: Cx,
    ) -> R<Option<Text<'d>>> {
        match self.value_argument(program, list, n, cx)? {
            None => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text)),
            Some(_) => Err(EvalError::Type),
        }
    }

    fn int_argument(
        &mut self,
        program: &'d Program,
        list: Arguments<'_>,
        n: usize,
        cx: Cx,
    ) -> R<Option<i64>> {
        match self.value_argument(program, list, n, cx)? {
            None => Ok(None),
            Some(Value::Int(n)) => Ok(Some(n)),
            Some(_) => Err(EvalError::Type),
        }
    }

    /// The focus as one value.
    fn input(&self, cx: Cx) -> R<Option<Value<'d>>> {
        match self.slice(cx.from, cx.to) {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            _ => Err(EvalError::NotSingle),
        }
    }

    fn input_system(&self, cx: Cx) -> R<Option<Value<'d>>> {
        Ok(self.input(cx)?.map(|v| self.system(&v)))
    }

    fn input_text(&self, cx: Cx) -> R<Option<Text<'d>>> {
        match self.input(cx)? {
            None => Ok(None),
            Some(v) => match self.text_of(&v) {
                Some(text) => Ok(Some(text)),
                None => Err(EvalError::Type),
            },
        }
    }

    /// Evaluates a lambda for the value at a place.
    fn lambda(
        &mut self,
        program: &'d Program,
        id: Id,
        at: usize,
        index: usize,
        cx: Cx,
    ) -> R<usize> {
        let base = self.stack.len();
        let vars = self.vars.len();
        let inner = Cx {
            from: at,
            to: at + 1,
            this: (at, at + 1),
            index: i64::try_from(index).ok(),
            total: cx.total,
        };
        self.eval(program, id, inner)?;
        self.vars.truncate(vars);
        Ok(base)
    }

    /// Whether a criterion holds for the value at a place.
    fn criterion(
        &mut self,
        program: &'d Program,
        id: Id,
        at: usize,
        index: usize,
        cx: Cx,
    ) -> R<Option<bool>> {
        let base = self.lambda(program, id, at, index, cx)?;
        let truth = self.truth(base)?;
        self.stack.truncate(base);
        Ok(truth)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm a function, in the order of the specification"
    )]
    pub(crate) fn call(
        &mut self,
        program: &'d Program,
        function: F,
        list: Arguments<'_>,
        of: Option<TypeSpec>,
        pattern: Option<&'d Pattern>,
        cx: Cx,
    ) -> R<()> {
        let base = self.stack.len();
        let count = cx.to - cx.from;
        let first = list.first().map(|(_, id)| *id);
        match function {
            F::Empty => self.push(Value::Bool(count == 0)),
            F::Count => self.push(Value::Int(i64::try_from(count).unwrap_or(i64::MAX))),
            F::Exists => {
                let Some(id) = first else {
                    return self.push(Value::Bool(count > 0));
                };
                let mut found = false;
                for (n, at) in (cx.from..cx.to).enumerate() {
                    if self.criterion(program, id, at, n, cx)? == Some(true) {
                        found = true;
                        break;
                    }
                }
                self.push(Value::Bool(found))
            }
            F::All => {
                let mut all = true;
                for (n, at) in (cx.from..cx.to).enumerate() {
                    let id = first.unwrap_or_default();
                    if self.criterion(program, id, at, n, cx)? != Some(true) {
                        all = false;
                        break;
                    }
                }
                self.push(Value::Bool(all))
            }
            F::AllTrue | F::AnyTrue | F::AllFalse | F::AnyFalse => {
                let wanted = matches!(function, F::AllTrue | F::AnyTrue);
                let (mut all, mut any) = (true, false);
                for at in cx.from..cx.to {
                    let value = self.get(at).and_then(|v| self.boolean(&v));
                    let value = value.ok_or(EvalError::Type)?;
                    all &= value == wanted;
                    any |= value == wanted;
                }
                let made = if matches!(function, F::AllTrue | F::AllFalse) {
                    all
                } else {
                    any
                };
                self.push(Value::Bool(made))
            }
            F::SubsetOf | F::SupersetOf => {
                let other = (self.argument(program, list, 0, cx)?, self.stack.len());
                let own = (cx.from, cx.to);
                let (small, large) = if function == F::SubsetOf {
                    (own, other)
                } else {
                    (other, own)
                };
                let mut all = true;
                for at in small.0..small.1 {
                    let value = self.get(at).ok_or(EvalError::Type)?;
                    all &= self.holds_value(&value, large)?;
                }
                self.leave(base, Some(Value::Bool(all)))
            }
            F::Distinct => {
                self.copy_focus(cx)?;
                self.distinct_from(base, base)
            }
            F::IsDistinct => {
                self.copy_focus(cx)?;
                self.distinct_from(base, base)?;
                let distinct = self.stack.len() - base == count;
                self.leave(base, Some(Value::Bool(distinct)))
            }
            F::Where => {
                let id = first.unwrap_or_default();
                for (n, at) in (cx.from..cx.to).enumerate() {
                    if self.criterion(program, id, at, n, cx)? == Some(true) {
                        let value = self.get(at);
                        self.push_all(value)?;
                    }
                }
                Ok(())
            }
            F::Select => {
                for (n, at) in (cx.from..cx.to).enumerate() {
                    self.lambda(program, first.unwrap_or_default(), at, n, cx)?;
                }
                Ok(())
            }
            F::Repeat | F::RepeatAll => {
                let id = first.unwrap_or_default();
                let mut seen = Seen::default();
                for (n, at) in (cx.from..cx.to).enumerate() {
                    let from = self.lambda(program, id, at, n, cx)?;
                    if function == F::Repeat {
                        self.distinct_more(&mut seen, base, from)?;
                    }
                }
                let mut next = base;
                while next < self.stack.len() {
                    let from = self.lambda(program, id, next, next - base, cx)?;
                    if function == F::Repeat {
                        self.distinct_more(&mut seen, base, from)?;
                    }
                    next += 1;
                }
                Ok(())
            }
            F::OfType => {
                let of = of.ok_or(EvalError::Type)?;
                for at in cx.from..cx.to {
                    let value = self.get(at).filter(|v| self.is_exactly(v, of));
                    self.push_all(value)?;
                }
                Ok(())
            }
            F::Is => {
                let of = of.ok_or(EvalError::Type)?;
                let made = self.input(cx)?.map(|v| Value::Bool(self.is(&v, of)));
                self.push_all(made)
            }
            F::As => {
                let of = of.ok_or(EvalError::Type)?;
                let made = self.input(cx).map_err(EvalError::before_as)?;
                let made = made.filter(|v| self.is_exactly(v, of));
                self.push_all(made)
            }
            F::Single => {
                let made = self.input(cx)?;
                self.push_all(made)
            }
            F::First | F::Last => {
                let at = if function == F::First {
                    cx.from
                } else {
                    cx.to.wrapping_sub(1)
                };
                let made = if count == 0 { None } else { self.get(at) };
                self.push_all(made)
            }
            F::Tail => self.copy_focus(Cx {
                from: cx.to.min(cx.from + 1),
                ..cx
            }),
            F::Skip | F::Take => {
                let n = self
                    .int_argument(program, list, 0, cx)?
                    .ok_or(EvalError::Type)?;
                let n = usize::try_from(n).unwrap_or(0).min(count);
                let cut = cx.from + n;
                self.copy_focus(if function == F::Skip {
                    Cx { from: cut, ..cx }
                } else {
                    Cx { to: cut, ..cx }
                })
            }
            F::Intersect | F::Exclude => {
                let other = (self.argument(program, list, 0, cx)?, self.stack.len());
                let middle = self.stack.len();
                for at in cx.from..cx.to {
                    let value = self.get(at).ok_or(EvalError::Type)?;
                    if self.holds_value(&value, other)? == (function == F::Intersect) {
                        self.push(value)?;
                    }
                }
                if function == F::Intersect {
                    self.distinct_from(middle, middle)?;
                }
                self.close(base, middle);
                Ok(())
            }
            F::Union | F::Combine => {
                self.copy_focus(cx)?;
                self.argument(program, list, 0, cx)?;
                if function == F::Union {
                    self.distinct_from(base, base)
                } else {
                    Ok(())
                }
            }
            F::Coalesce => {
                for n in 0..list.len() {
                    if self.argument(program, list, n, cx)? < self.stack.len() {
                        break;
                    }
                }
                Ok(())
            }
            F::Iif => {
                if count > 1 {
                    return Err(EvalError::NotSingle);
                }
                // On nothing, the criterion is asked of nothing.
                let inner = Cx {
                    this: (cx.from, cx.to),
                    ..cx
                };
                self.eval(program, first.unwrap_or_default(), inner)?;
                let truth = match self.single(base)? {
                    None => false,
                    Some(v) => self.boolean(&v).ok_or(EvalError::Type)?,
                };
                self.stack.truncate(base);
                match list.get(if truth { 1 } else { 2 }) {
                    Some((_, id)) => self.eval(program, *id, inner),
                    None => Ok(()),
                }
            }
            F::ToBoolean => self.convert(cx, SystemType::Boolean, false),
            F::ConvertsToBoolean => self.convert(cx, SystemType::Boolean, true),
            F::ToInteger => self.convert(cx, SystemType::Integer, false),
            F::ConvertsToInteger => self.convert(cx, SystemType::Integer, true),
            F::ToDecimal => self.convert(cx, SystemType::Decimal, false),
            F::ConvertsToDecimal => self.convert(cx, SystemType::Decimal, true),
            F::ToStr => self.convert(cx, SystemType::String, false),
            F::ConvertsToStr => self.convert(cx, SystemType::String, true),
            F::ToDate => self.convert(cx, SystemType::Date, false),
            F::ConvertsToDate => self.convert(cx, SystemType::Date, true),
            F::ToDateTime => self.convert(cx, SystemType::DateTime, false),
            F::ConvertsToDateTime => self.convert(cx, SystemType::DateTime, true),
            F::ToTime => self.convert(cx, SystemType::Time, false),
            F::ConvertsToTime => self.convert(cx, SystemType::Time, true),
            F::ToQuantity | F::ConvertsToQuantity => {
                let test = function == F::ConvertsToQuantity;
                if list.is_empty() {
                    return self.convert(cx, SystemType::Quantity, test);
                }
                let unit = self.text_argument(program, list, 0, cx)?;
                let Some(value) = self.input(cx)? else {
                    return Ok(());
                };
                let fits = match (self.to_type(&value, SystemType::Quantity), unit) {
                    (Some(Value::Quantity(q)), Some(unit)) => {
                        let target = Quantity {
                            value: Dec::ZERO,
                            unit: unit.as_str().into(),
                            calendar: false,
                        };
                        comparable(&q, &target).then_some(Value::Quantity(q))
                    }
                    (made, None) => made,
                    _ => None,
                };
                self.push_all(if test {
                    Some(Value::Bool(fits.is_some()))
                } else {
                    fits
                })
            }
            F::IndexOf | F::LastIndexOf => {
                let part = self.text_argument(program, list, 0, cx)?;
                let (Some(text), Some(part)) = (self.input_text(cx)?, part) else {
                    return Ok(());
                };
                self.step(text.as_str().len() / 8)?;
                let last = function == F::LastIndexOf;
                self.push(Value::Int(text::index_of(
                    text.as_str(),
                    part.as_str(),
                    last,
                )))
            }
            F::StartsWith | F::EndsWith | F::ContainsText => {
                let part = self.text_argument(program, list, 0, cx)?;
                let (Some(text), Some(part)) = (self.input_text(cx)?, part) else {
                    return Ok(());
                };
                self.step(text.as_str().len() / 8)?;
                let (text, part) = (text.as_str(), part.as_str());
                self.push(Value::Bool(match function {
                    F::StartsWith => text.starts_with(part),
                    F::EndsWith => text.ends_with(part),
                    _ => text.contains(part),
                }))
            }
            F::Substring => {
                let start = self.int_argument(program, list, 0, cx)?;
                let length = self.int_argument(program, list, 1, cx)?;
                let (Some(text), Some(start)) = (self.input_text(cx)?, start) else {
                    return Ok(());
                };
                self.step(text.as_str().len() / 8)?;
                let made = text::substring(text.as_str(), start, length);
                let made = made.map(|t| Value::owned(t.to_owned()));
                self.push_all(made)
            }
            F::Upper | F::Lower | F::Trim | F::Encode | F::Decode | F::Escape | F::Unescape => {
                let format = self.text_argument(program, list, 0, cx)?;
                let Some(input) = self.input_text(cx)? else {
                    return Ok(());
                };
                self.made_text(input.as_str().len())?;
                let input = input.as_str();
                let format = format.as_ref().map_or("", Text::as_str);
                let made = match function {
                    F::Upper => Some(input.to_uppercase()),
                    F::Lower => Some(input.to_lowercase()),
                    F::Trim => Some(input.trim().to_owned()),
                    F::Encode => text::encode(input, format),
                    F::Decode => text::decode(input, format),
                    F::Escape => text::escape(input, format),
                    _ => text::unescape(input, format),
                };
                self.push_all(made.map(Value::owned))
            }
            F::Replace => {
                let old = self.text_argument(program, list, 0, cx)?;
                let new = self.text_argument(program, list, 1, cx)?;
                let (Some(text), Some(old), Some(new)) = (self.input_text(cx)?, old, new) else {
                    return Ok(());
                };
                let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
                self.step(text.len())?;
                let places = text.matches(old).count();
                self.made_text(text.len().saturating_add(places.saturating_mul(new.len())))?;
                self.push(Value::owned(text.replace(old, new)))
            }
            F::Matches | F::MatchesFull | F::ReplaceMatches => {
                self.matches(program, function, list, pattern, cx)
            }
            F::Length => {
                let made = self.input_text(cx)?;
                let made =
                    made.map(|t| i64::try_from(t.as_str().chars().count()).unwrap_or(i64::MAX));
                self.push_all(made.map(Value::Int))
            }
            F::ToChars => {
                if let Some(text) = self.input_text(cx)? {
                    for c in text.as_str().chars() {
                        self.push(Value::owned(c.to_string()))?;
                    }
                }
                Ok(())
            }
            F::Split => {
                let by = self.text_argument(program, list, 0, cx)?;
                let (Some(text), Some(by)) = (self.input_text(cx)?, by) else {
                    return Ok(());
                };
                if by.as_str().is_empty() {
                    return self.push(Value::Str(text));
                }
                for part in text.as_str().split(by.as_str()) {
                    self.push(Value::owned(part.to_owned()))?;
                }
                Ok(())
            }
            F::Join => {
                let by = self.text_argument(program, list, 0, cx)?;
                let by = by.as_ref().map_or("", Text::as_str);
                let mut made = String::new();
                for at in cx.from..cx.to {
                    let part = self.get(at).and_then(|v| self.text_of(&v));
                    if at > cx.from {
                        made.push_str(by);
                    }
                    made.push_str(part.ok_or(EvalError::Type)?.as_str());
                    if made.len() > self.env.limits.text {
                        return Err(EvalError::Limit);
                    }
                }
                self.step(made.len() / 8)?;
                self.push(Value::owned(made))
            }
            F::Abs | F::Ceiling | F::Floor | F::Truncate | F::Exp | F::Ln | F::Sqrt => {
                self.number(function, cx)
            }
            F::Round => {
                let digits = self.int_argument(program, list, 0, cx)?.unwrap_or(0);
                let digits = u32::try_from(digits).map_err(|_| EvalError::Type)?;
                let made = match self.input_system(cx)? {
                    None => None,
                    Some(Value::Int(n)) => Some(Value::Int(n)),
                    Some(Value::Dec(d)) => d.round(digits.min(d.scale())).map(Value::dec),
                    Some(Value::Quantity(q)) => {
                        q.value.round(digits.min(q.value.scale())).map(|value| {
                            Value::Quantity(Rc::new(Quantity {
                                value,
                                ..(*q).clone()
                            }))
                        })
                    }
                    Some(_) => return Err(EvalError::Type),
                };
                self.push_all(made)
            }
            F::Log | F::Power => {
                let other = self.value_argument(program, list, 0, cx)?;
                let (Some(value), Some(other)) = (self.input_system(cx)?, other) else {
                    return Ok(());
                };
                let made = power(function == F::Power, &value, &other)?;
                self.push_all(made)
            }
            F::Children => {
                for at in cx.from..cx.to {
                    if let Some(Value::Item(item)) = self.get(at) {
                        self.children(item)?;
                    }
                }
                Ok(())
            }
            F::Descendants => self.descendants(cx.from, cx.to),
            F::Trace => {
                let name = self.text_argument(program, list, 0, cx)?;
                if let Some((_, id)) = list.get(1) {
                    for (n, at) in (cx.from..cx.to).enumerate() {
                        self.lambda(program, *id, at, n, cx)?;
                    }
                } else {
                    self.copy_focus(cx)?;
                }
                let services = self.env.services;
                services.trace(name.as_ref().map_or("", Text::as_str), self.top(base));
                self.stack.truncate(base);
                self.copy_focus(cx)
            }
            F::Now | F::Today | F::TimeOfDay => {
                let now = self.env.now.ok_or(EvalError::NotAvailable)?;
                let made = match function {
                    F::Now => Some(now),
                    F::Today => Some(now.to_date()),
                    _ => now.to_string().split_once('T').and_then(|(_, t)| {
                        Temporal::parse(t.split(['Z', '+', '-']).next()?, TemporalKind::Time)
                    }),
                };
                self.push_all(made.map(Value::temporal))
            }
            F::DefineVariable => {
                let name = self
                    .text_argument(program, list, 0, cx)?
                    .ok_or(EvalError::Type)?;
                let fixed = [
                    "context",
                    "resource",
                    "rootResource",
                    "ucum",
                    "sct",
                    "loinc",
                ];
                let taken = self.vars.iter().any(|(n, _)| n.as_str() == name.as_str())
                    || fixed.contains(&name.as_str())
                    || self
                        .env
                        .variables
                        .iter()
                        .any(|(n, _)| **n == *name.as_str());
                if taken {
                    return Err(EvalError::Redefined);
                }
                if let Some((_, id)) = list.get(1) {
                    let inner = Cx {
                        this: (cx.from, cx.to),
                        ..cx
                    };
                    self.eval(program, *id, inner)?;
                } else {
                    self.copy_focus(cx)?;
                }
                let values = self.stack.split_off(base);
                self.vars.push((name, values));
                self.copy_focus(cx)
            }
            F::LowBoundary | F::HighBoundary => {
                let digits = self.int_argument(program, list, 0, cx)?;
                let high = function == F::HighBoundary;
                let made = match self.input_system(cx)? {
                    None => None,
                    Some(Value::Int(n)) => Dec::int(n)
                        .boundary(high, digits.unwrap_or(8))
                        .map(Value::dec),
                    Some(Value::Dec(d)) => d.boundary(high, digits.unwrap_or(8)).map(Value::dec),
                    Some(Value::Temporal(t)) => t.boundary(high, digits).map(Value::temporal),
                    Some(Value::Quantity(q)) => {
                        q.value.boundary(high, digits.unwrap_or(8)).map(|value| {
                            Value::Quantity(Rc::new(Quantity {
                                value,
                                ..(*q).clone()
                            }))
                        })
                    }
                    Some(_) => return Err(EvalError::Type),
                };
                self.push_all(made)
            }
            F::Precision => {
                let made = match self.input_system(cx)? {
                    None => None,
                    Some(Value::Int(_)) => Some(0),
                    Some(Value::Dec(d)) => Some(i64::from(d.scale())),
                    Some(Value::Temporal(t)) => Some(t.precision_digits()),
                    Some(_) => return Err(EvalError::Type),
                };
                self.push_all(made.map(Value::Int))
            }
            F::Comparable => {
                let other = self.value_argument(program, list, 0, cx)?;
                let made = match (self.input_system(cx)?, other) {
                    (None, _) | (_, None) => None,
                    (Some(Value::Quantity(a)), Some(Value::Quantity(b))) => {
                        Some(Value::Bool(comparable(&a, &b)))
                    }
                    _ => return Err(EvalError::Type),
                };
                self.push_all(made)
            }
            F::Sort => self.sort(program, list, cx),
            F::Not => {
                let made = self.input(cx)?;
                let made = made.map(|v| Value::Bool(!self.boolean(&v).unwrap_or(true)));
                self.push_all(made)
            }
            F::Type => {
                for at in cx.from..cx.to {
                    if let Some(v) = self.get(at) {
                        let (space, name) = self.class_of(&v);
                        self.push(Value::Class(space, name))?;
                    }
                }
                Ok(())
            }
            F::Aggregate => {
                // The total is the run from `base` on; each round leaves the new one there.
                self.argument(program, list, 1, cx)?;
                for (n, at) in (cx.from..cx.to).enumerate() {
                    let middle = self.stack.len();
                    let inner = Cx {
                        total: Some((base, middle)),
                        ..cx
                    };
                    self.lambda(program, first.unwrap_or_default(), at, n, inner)?;
                    self.close(base, middle);
                }
                Ok(())
            }
            F::Extension => {
                let url = self.text_argument(program, list, 0, cx)?;
                let Some(url) = url else {
                    return Ok(());
                };
                let name = self.engine.ids.extension;
                for at in cx.from..cx.to {
                    let from = self.stack.len();
                    self.member(at, name, "extension", None)?;
                    self.keep(from, |me, item| me.has_url(item, url.as_str()));
                }
                Ok(())
            }
            F::HasValue => {
                let value = match self.slice(cx.from, cx.to) {
                    [Value::Item(item)] => {
                        let item = *item;
                        item.node != NONE
                            && self.doc(item.doc).is_some_and(|d| {
                                !matches!(d.tree.kind(item.node), Kind::Object | Kind::Array)
                            })
                    }
                    [_] => true,
                    _ => false,
                };
                self.push(Value::Bool(value))
            }
            F::GetValue => {
                let made = match self.slice(cx.from, cx.to) {
                    [one] => {
                        let made = self.system(one);
                        (!matches!(made, Value::Item(_))).then_some(made)
                    }
                    _ => None,
                };
                self.push_all(made)
            }
            F::Resolve => {
                for at in cx.from..cx.to {
                    if let Some(value) = self.get(at) {
                        let found = self.resolve(&value)?;
                        self.push_all(found.map(Value::Item))?;
                    }
                }
                Ok(())
            }
            // What these give are definitions, which are no documents here.
            F::ElementDefinition => Err(EvalError::NotAvailable),
            F::Slice => {
                let url = self
                    .text_argument(program, list, 0, cx)?
                    .ok_or(EvalError::Type)?;
                let name = self
                    .text_argument(program, list, 1, cx)?
                    .ok_or(EvalError::Type)?;
                let services = self.env.services;
                for at in cx.from..cx.to {
                    if let Some(Value::Item(item)) = self.get(at) {
                        let found = services.slice(item, url.as_str(), name.as_str());
                        self.push_all(
                            found
                                .ok_or(EvalError::NotAvailable)?
                                .into_iter()
                                .map(Value::Item),
                        )?;
                    }
                }
                Ok(())
            }
            F::CheckModifiers => {
                let mut known = Vec::new();
                for n in 0..list.len() {
                    known.extend(self.text_argument(program, list, n, cx)?);
                }
                for at in cx.from..cx.to {
                    let from = self.stack.len();
                    self.member(at, self.engine.ids.modifier, "modifierExtension", None)?;
                    self.keep(from, |me, item| {
                        !known.iter().any(|url| me.has_url(item, url.as_str()))
                    });
                    if self.stack.len() > from {
                        return Err(EvalError::Modifier);
                    }
                }
                self.copy_focus(cx)
            }
            F::ConformsTo => {
                let profile = self.text_argument(program, list, 0, cx)?;
                let (Some(value), Some(profile)) = (self.input(cx)?, profile) else {
                    return Ok(());
                };
                let Value::Item(item) = value else {
                    return Err(EvalError::Type);
                };
                let url = profile.as_str();
                let made = self.env.services.conforms_to(item, url).or_else(|| {
                    let core = self.engine.core;
                    let of = core.type_named(url.strip_prefix(CORE_PROFILES)?)?;
                    // A profile of core is more than its type.
                    (!core.type_(of).is_profile()).then(|| core.is_a(item.of, of))
                });
                self.push(Value::Bool(made.ok_or(EvalError::NotAvailable)?))
            }
            F::MemberOf => {
                let set = self.text_argument(program, list, 0, cx)?;
                let (Some(value), Some(set)) = (self.input(cx)?, set) else {
                    return Ok(());
                };
                let made = self.member_of(&value, set.as_str())?;
                self.push(Value::Bool(made))
            }
            F::Subsumes | F::SubsumedBy => {
                let other = self.value_argument(program, list, 0, cx)?;
                let (Some(own), Some(other)) = (self.input(cx)?, other) else {
                    return Ok(());
                };
                let (up, down) = if function == F::Subsumes {
                    (own, other)
                } else {
                    (other, own)
                };
                let made = self.subsumes(&up, &down)?;
                self.push(Value::Bool(made))
            }
            F::HtmlChecks => {
                let Some(value) = self.input(cx)? else {
                    return Ok(());
                };
                let text = self.text_of(&value).ok_or(EvalError::Type)?;
                self.step(text.as_str().len())?;
                self.push(Value::Bool(check_narrative(text.as_str()).is_ok()))
            }
            F::YearOf => self.component("year", cx),
            F::MonthOf => self.component("month", cx),
            F::DayOf => self.component("day", cx),
            F::HourOf => self.component("hour", cx),
            F::MinuteOf => self.component("minute", cx),
            F::SecondOf => self.component("second", cx),
            F::MillisecondOf => self.component("millisecond", cx),
            F::DateOf | F::TimeOf => {
                let made = match self.input_system(cx)? {
                    None => None,
                    Some(Value::Temporal(t))
                        if function == F::DateOf && t.kind != TemporalKind::Time =>
                    {
                        Some(t.to_date())
                    }
                    Some(Value::Temporal(t)) if function == F::TimeOf => {
                        t.to_string().split_once('T').and_then(|(_, t)| {
                            Temporal::parse(t.split(['Z', '+', '-']).next()?, TemporalKind::Time)
                        })
                    }
                    Some(_) => return Err(EvalError::Type),
                };
                self.push_all(made.map(Value::temporal))
            }
        }
    }

    fn copy_focus(&mut self, cx: Cx) -> R<()> {
        for at in cx.from..cx.to {
            let value = self.get(at);
            self.push_all(value)?;
        }
        Ok(())
    }

    fn component(&mut self, name: &str, cx: Cx) -> R<()> {
        let made = match self.input_system(cx)? {
            None => None,
            Some(Value::Temporal(t)) => t.component(name),
            Some(_) => return Err(EvalError::Type),
        };
        self.push_all(made.map(Value::Int))
    }

    fn convert(&mut self, cx: Cx, of: SystemType, test: bool) -> R<()> {
        let Some(value) = self.input(cx)? else {
            return Ok(());
        };
        let made = self.to_type(&value, of);
        self.push_all(if test {
            Some(Value::Bool(made.is_some()))
        } else {
            made
        })
    }

    /// Keeps the elements from `from` on that pass.
    fn keep(&mut self, from: usize, pass: impl Fn(&Self, Item) -> bool) {
        let mut kept = from;
        for at in from..self.stack.len() {
            if let Some(Value::Item(item)) = self.stack.get(at) {
                let item = *item;
                if pass(self, item) {
                    self.stack.swap(kept, at);
                    kept += 1;
                }
            }
        }
        self.stack.truncate(kept);
    }

    /// Whether an extension has this URL.
    fn has_url(&self, item: Item, url: &str) -> bool {
        let Some(doc) = self.doc(item.doc) else {
            return false;
        };
        let name = self.engine.ids.url;
        doc.tree
            .children(item.node)
            .any(|c| doc.tree.name(c) == name && !doc.tree.is_twin(c) && doc.tree.is_text(c, url))
    }

    fn matches(
        &mut self,
        program: &'d Program,
        function: F,
        list: Arguments<'_>,
        pattern: Option<&'d Pattern>,
        cx: Cx,
    ) -> R<()> {
        let replace = function == F::ReplaceMatches;
        let Some(text) = self.input_text(cx)? else {
            return Ok(());
        };
        let made;
        let compiled = if let Some(pattern) = pattern {
            &pattern.0
        } else {
            let Some(source) = self.text_argument(program, list, 0, cx)? else {
                return Ok(());
            };
            let flags = self.text_argument(program, list, if replace { 2 } else { 1 }, cx)?;
            let flags = flags.as_ref().map_or("", Text::as_str);
            self.step(1000 + source.as_str().len() * 10)?;
            let full = function == F::MatchesFull;
            made = regex(source.as_str(), full, flags, Bounds::DEFAULT.regex)
                .ok_or(EvalError::Pattern)?;
            &made
        };
        let text = text.as_str();
        self.step(text.len().saturating_mul(compiled.as_str().len() / 8 + 1))?;
        if !replace {
            return self.push(Value::Bool(compiled.is_match(text)));
        }
        let Some(with) = self.text_argument(program, list, 1, cx)? else {
            return Ok(());
        };
        if compiled.as_str().is_empty() {
            return self.push(Value::owned(text.to_owned()));
        }
        let places = compiled.find_iter(text).count();
        let groups = with.as_str().matches('$').count();
        let each = with
            .as_str()
            .len()
            .saturating_add(groups.saturating_mul(text.len()));
        self.made_text(text.len().saturating_add(places.saturating_mul(each)))?;
        let made = compiled.replace_all(text, with.as_str()).into_owned();
        self.push(Value::owned(made))
    }

    fn number(&mut self, function: F, cx: Cx) -> R<()> {
        let Some(value) = self.input_system(cx)? else {
            return Ok(());
        };
        let whole = |n: Option<i64>| n.map(Value::Int);
        let float = |n: f64| Dec::from_f64(n).map(Value::dec);
        let made = match (function, &value) {
            (F::Abs, Value::Int(n)) => whole(n.checked_abs()),
            (F::Ceiling | F::Floor | F::Truncate, Value::Int(n)) => whole(Some(*n)),
            (F::Abs, Value::Dec(d)) => {
                Some(Value::dec(if d.is_negative() { d.negate() } else { **d }))
            }
            (F::Abs, Value::Quantity(q)) => Some(Value::Quantity(Rc::new(Quantity {
                value: if q.value.is_negative() {
                    q.value.negate()
                } else {
                    q.value
                },
                ..(**q).clone()
            }))),
            (F::Ceiling, Value::Dec(d)) => whole(d.ceiling()),
            (F::Floor, Value::Dec(d)) => whole(d.floor()),
            (F::Truncate, Value::Dec(d)) => whole(d.truncate()),
            (F::Exp | F::Ln | F::Sqrt, Value::Int(_) | Value::Dec(_)) => {
                let n = match &value {
                    Value::Dec(d) => d.to_f64(),
                    Value::Int(n) => Dec::int(*n).to_f64(),
                    _ => return Err(EvalError::Type),
                };
                float(match function {
                    F::Exp => libm::exp(n),
                    F::Ln => libm::log(n),
                    _ => libm::sqrt(n),
                })
            }
            _ => return Err(EvalError::Type),
        };
        self.push_all(made)
    }

    fn sort(&mut self, program: &'d Program, list: Arguments<'_>, cx: Cx) -> R<()> {
        struct Row<'d> {
            value: Value<'d>,
            keys: Vec<Option<Value<'d>>>,
        }
        let mut rows: Vec<Row<'d>> = Vec::with_capacity(cx.to - cx.from);
        // A minus before a key means "descending": it is no arithmetic.
        let keys: Vec<(Id, bool)> = list
            .iter()
            .map(|(_, id)| match program.nodes.get(crate::eval::ix(*id)) {
                Some(Node::Minus(inner)) => (*inner, true),
                _ => (*id, false),
            })
            .collect();
        for (n, at) in (cx.from..cx.to).enumerate() {
            let value = self.get(at).ok_or(EvalError::Type)?;
            let mut row = Vec::with_capacity(keys.len().max(1));
            for (id, _) in &keys {
                let base = self.lambda(program, *id, at, n, cx)?;
                row.push(self.single(base)?.map(|v| self.system(&v)));
                self.stack.truncate(base);
            }
            if keys.is_empty() {
                row.push(Some(self.system(&value)));
            }
            rows.push(Row { value, keys: row });
        }
        self.step(rows.len().saturating_mul(20))?;
        let mut failed = None;
        let ordered = |a: &Row<'d>, b: &Row<'d>, failed: &mut Option<EvalError>| {
            for (n, (x, y)) in a.keys.iter().zip(&b.keys).enumerate() {
                // What has no key comes first in either direction.
                let found = match (x, y) {
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(x), Some(y)) => match order(x, y) {
                        Ok(order) => order.unwrap_or(Ordering::Equal),
                        Err(e) => {
                            *failed = Some(e);
                            Ordering::Equal
                        }
                    },
                };
                if found != Ordering::Equal {
                    let down = keys.get(n).is_some_and(|(_, down)| *down);
                    return if down { found.reverse() } else { found };
                }
            }
            Ordering::Equal
        };
        // Values of partial order have no total one: a merge sort of our own never panics on that.
        merge_sort(&mut rows, &mut |a, b| ordered(a, b, &mut failed));
        if let Some(e) = failed {
            return Err(e);
        }
        self.push_all(rows.into_iter().map(|r| r.value))
    }

    /// The resource a reference points at.
    fn resolve(&mut self, value: &Value<'d>) -> R<Option<Item>> {
        let Value::Item(item) = value else {
            return Ok(None);
        };
        let Some(doc) = self.doc(item.doc) else {
            return Ok(None);
        };
        let url = if doc.tree.kind(item.node) == Kind::Object {
            if item.of != self.engine.ids.reference {
                return Ok(None);
            }
            let id = doc.tree.member(item.node, "reference");
            id.map(|id| doc.tree.text(id))
        } else {
            self.text_of(value).map(|t| t.as_str().to_owned().into())
        };
        let Some(url) = url else {
            return Ok(None);
        };
        if let Some(found) = self.env.services.resolve(&url, *item) {
            return Ok(Some(found));
        }
        self.step(10)?;
        let tree = doc.tree;
        let at = |node: NodeId| Item {
            node,
            twin: NONE,
            of: typed(doc, node).of,
            doc: item.doc,
        };
        // The resources around the element, innermost first.
        let mut around = Vec::new();
        let mut node = item.node;
        while node != NONE {
            if self.is_resource(typed(doc, node).of) && tree.kind(node) == Kind::Object {
                around.push(node);
            }
            node = tree.parent(node);
        }
        let bundle = around.iter().copied().find(|n| {
            tree.member(*n, "entry").is_some()
                && tree
                    .member(*n, "resourceType")
                    .is_some_and(|t| tree.is_text(t, "Bundle"))
        });
        if let Some(id) = url.strip_prefix('#') {
            for resource in around {
                if id.is_empty() {
                    let contained = tree.key(tree.parent(resource)) == "contained";
                    if !contained {
                        return Ok(Some(at(resource)));
                    }
                    continue;
                }
                let Some(contained) = tree.member(resource, "contained") else {
                    continue;
                };
                for c in tree.children(contained) {
                    self.step(1)?;
                    if tree.member(c, "id").is_some_and(|i| tree.is_text(i, id)) {
                        return Ok(Some(at(c)));
                    }
                }
            }
            return Ok(None);
        }
        let Some(entries) = bundle.and_then(|b| tree.member(b, "entry")) else {
            return Ok(None);
        };
        let url = url.split("/_history/").next().unwrap_or_default();
        let absolute = url.contains(':');
        for entry in tree.children(entries) {
            self.step(1)?;
            let Some(resource) = tree.member(entry, "resource") else {
                continue;
            };
            let full = tree.member(entry, "fullUrl").map(|f| tree.text(f));
            let same = match &full {
                Some(full) if absolute => full == url,
                Some(full) => full
                    .strip_suffix(url)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('/')),
                None => false,
            };
            if same {
                return Ok(Some(at(resource)));
            }
        }
        Ok(None)
    }

    fn is_resource(&self, of: TypeId) -> bool {
        of != TypeId::NONE && self.engine.core.type_(of).kind() == TypeKind::Resource
    }

    /// System and code of each coding of a value.
    fn codings(&self, value: &Value<'d>) -> Vec<(Option<String>, String)> {
        let Value::Item(item) = value else {
            return self
                .text_of(value)
                .map(|t| (None, t.as_str().to_owned()))
                .into_iter()
                .collect();
        };
        let Some(doc) = self.doc(item.doc) else {
            return Vec::new();
        };
        let coding = |doc: Doc<'d>, node: NodeId| {
            let text = |key| {
                doc.tree
                    .member(node, key)
                    .map(|id| doc.tree.text(id).into_owned())
            };
            text("code").map(|code| (text("system"), code))
        };
        let ids = self.engine.ids;
        if item.of == ids.concept {
            let list = doc.tree.member(item.node, "coding");
            list.into_iter()
                .flat_map(|l| doc.tree.children(l))
                .filter_map(|c| coding(doc, c))
                .collect()
        } else if item.of == ids.coding || self.engine.core.is_a(item.of, ids.quantity) {
            coding(doc, item.node).into_iter().collect()
        } else if self.engine.class(item.of) == Class::Text {
            vec![(None, doc.tree.text(item.node).into_owned())]
        } else {
            Vec::new()
        }
    }

    fn member_of(&self, value: &Value<'d>, set: &str) -> R<bool> {
        let plain = set.split('|').next().unwrap_or_default();
        let mut known = true;
        for (system, code) in self.codings(value) {
            let system = system.as_deref();
            let held = self.env.services.member_of(system, &code, set);
            let held = held.or_else(|| self.engine.core.value_set(plain)?.contains(system, &code));
            match held {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => known = false,
            }
        }
        if known {
            Ok(false)
        } else {
            Err(EvalError::NotAvailable)
        }
    }

    fn subsumes(&self, up: &Value<'d>, down: &Value<'d>) -> R<bool> {
        for (system, code) in self.codings(up) {
            for (other, below) in self.codings(down) {
                if system != other {
                    continue;
                }
                if code == below {
                    return Ok(true);
                }
                let system = system
                    .as_deref()
                    .and_then(|s| self.engine.core.code_system(s));
                let system = system.ok_or(EvalError::NotAvailable)?;
                let mut at = system.find(&below);
                while let Some(n) = at {
                    if system.code(n) == code {
                        return Ok(true);
                    }
                    at = system.parent(n);
                }
            }
        }
        Ok(false)
    }
}

/// Power, or logarithm.
fn power(power: bool, value: &Value<'_>, other: &Value<'_>) -> R<Option<Value<'static>>> {
    let number = |v: &Value<'_>| match v {
        Value::Int(n) => Ok(Dec::int(*n)),
        Value::Dec(d) => Ok(**d),
        _ => Err(EvalError::Type),
    };
    let (a, b) = (number(value)?, number(other)?);
    if !power {
        let made = libm::log(a.to_f64()) / libm::log(b.to_f64());
        return Ok(Dec::from_f64(made).map(Value::dec));
    }
    // Whole powers are exact while they fit.
    if let Some(n @ 0..=64) = b.truncate().filter(|_| b.is_whole()) {
        let mut exact = Some(Dec::int(1));
        for _ in 0..n {
            exact = exact.and_then(|e| e.mul(a));
        }
        if let Some(exact) = exact {
            let whole = matches!((value, other), (Value::Int(_), Value::Int(_)));
            return Ok(if whole {
                exact
                    .truncate()
                    .filter(|n| i32::try_from(*n).is_ok())
                    .map(Value::Int)
            } else {
                Some(Value::dec(exact))
            });
        }
    }
    Ok(Dec::from_f64(libm::pow(a.to_f64(), b.to_f64())).map(Value::dec))
}

/// A stable sort that takes any order, even one that is none.
fn merge_sort<T>(rows: &mut Vec<T>, order: &mut impl FnMut(&T, &T) -> Ordering) {
    if rows.len() < 2 {
        return;
    }
    let mut right = rows.split_off(rows.len() / 2);
    merge_sort(rows, order);
    merge_sort(&mut right, order);
    let left = std::mem::take(rows);
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if order(a, b) == Ordering::Greater => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(row) => rows.push(row),
            None => return,
        }
    }
}
