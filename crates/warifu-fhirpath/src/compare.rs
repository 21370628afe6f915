//! Operators: equality, order, arithmetic, sets.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use warifu_json::{Kind, NONE};

use crate::dec::Dec;
use crate::eval::{EvalError, Evaluator, R};
use crate::program::Op;
use crate::temporal::{Span, Temporal, TemporalKind};
use crate::ucum::{self, Unit};
use crate::value::{Doc, Item, Quantity, Value};

/// Up to here lists are compared pair by pair.
const FEW: usize = 8;

/// A word of a calendar duration in the singular.
pub(crate) fn calendar(word: &str) -> &str {
    crate::syntax::UNITS
        .iter()
        .find(|(one, many)| *one == word || *many == word)
        .map_or(word, |(one, _)| *one)
}

/// What a quantity's unit means. Months and years of the calendar are no fixed time.
fn unit_of(q: &Quantity) -> Option<Unit> {
    if !q.calendar {
        return ucum::unit(if q.unit.is_empty() { "1" } else { &q.unit });
    }
    let months = |n: i128| {
        let mut unit = ucum::unit("1")?;
        unit.num = n;
        unit.dim = [0, 0, 0, 0, 0, 0, 0, 1];
        Some(unit)
    };
    match calendar(&q.unit) {
        "year" => months(12),
        "month" => months(1),
        "week" => ucum::unit("wk"),
        "day" => ucum::unit("d"),
        "hour" => ucum::unit("h"),
        "minute" => ucum::unit("min"),
        "second" => ucum::unit("s"),
        "millisecond" => ucum::unit("ms"),
        _ => None,
    }
}

/// The number of `q` in another unit; `None` where the two do not compare.
fn convert(q: &Quantity, to: &Quantity) -> Option<Dec> {
    if q.unit == to.unit && q.calendar == to.calendar {
        return Some(q.value);
    }
    let ratio = unit_of(q)?.mul(unit_of(to)?.inverse())?;
    if ratio.dim != [0; 8] {
        return None;
    }
    let mut value = q.value.mul(Dec::new(ratio.num, 0))?;
    match u32::try_from(ratio.exp) {
        Ok(up) => value = value.mul(Dec::new(10_i128.checked_pow(up)?, 0))?,
        Err(_) => value = value.mul(Dec::new(1, ratio.exp.unsigned_abs()))?,
    }
    if ratio.den != 1 {
        value = value.div(Dec::new(ratio.den, 0))?;
    }
    Some(value)
}

impl Quantity {
    /// Order of two quantities whose units convert, with the units of UCUM that health records use.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        convert(other, self).map(|other| self.value.cmp(other))
    }
}

pub(crate) fn comparable(a: &Quantity, b: &Quantity) -> bool {
    convert(a, b).is_some()
}

fn number(value: &Value<'_>) -> Option<Dec> {
    match value {
        Value::Int(n) => Some(Dec::int(*n)),
        Value::Dec(d) => Some(**d),
        _ => None,
    }
}

fn as_quantity(value: &Value<'_>) -> Option<Rc<Quantity>> {
    match value {
        Value::Quantity(q) => Some(q.clone()),
        other => Some(Rc::new(Quantity {
            value: number(other)?,
            unit: "1".into(),
            calendar: false,
        })),
    }
}

/// Whole numbers are of 32 bits: what does not fit has no value.
fn int(n: Option<i64>) -> Option<Value<'static>> {
    n.filter(|n| i32::try_from(*n).is_ok()).map(Value::Int)
}

/// Case and white space aside, for `~`.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

impl<'d> Evaluator<'d> {
    /// Replaces the operands `base..middle` and `middle..` by the result.
    pub(crate) fn operate(&mut self, op: Op, base: usize, middle: usize) -> R<()> {
        match op {
            Op::None => return Ok(()),
            Op::Union => return self.distinct_from(base, base),
            Op::And | Op::Or | Op::Xor | Op::Implies => {
                let right = self.truth(middle)?;
                self.stack.truncate(middle);
                let left = self.truth(base)?;
                let made = match (op, left, right) {
                    (Op::And, Some(false), _)
                    | (Op::And, _, Some(false))
                    | (Op::Or, Some(false), Some(false))
                    | (Op::Implies, Some(true), Some(false)) => Some(false),
                    (Op::And, Some(true), Some(true))
                    | (Op::Or, Some(true), _)
                    | (Op::Or | Op::Implies, _, Some(true))
                    | (Op::Implies, Some(false), _) => Some(true),
                    (Op::Xor, Some(a), Some(b)) => Some(a != b),
                    _ => None,
                };
                return self.leave(base, made.map(Value::Bool));
            }
            Op::Eq | Op::NotEq => {
                let made = self.equal_lists(base, middle)?;
                let made = made.map(|equal| Value::Bool(equal == (op == Op::Eq)));
                return self.leave(base, made);
            }
            Op::Equiv | Op::NotEquiv => {
                let made = self.equivalent_lists(base, middle)?;
                return self.leave(base, Some(Value::Bool(made == (op == Op::Equiv))));
            }
            Op::In | Op::Contains => {
                let (one, list) = if op == Op::In {
                    ((base, middle), (middle, self.stack.len()))
                } else {
                    ((middle, self.stack.len()), (base, middle))
                };
                let made = match one.1 - one.0 {
                    0 => None,
                    1 => {
                        let value = self.get(one.0).ok_or(EvalError::Type)?;
                        Some(Value::Bool(self.holds_value(&value, list)?))
                    }
                    _ => return Err(EvalError::NotSingle),
                };
                return self.leave(base, made);
            }
            _ => {}
        }
        let right = self.single(middle)?;
        self.stack.truncate(middle);
        let left = self.single(base)?;
        if op == Op::Concat {
            let text = |v: &Option<Value<'d>>| match v {
                None => Ok(String::new()),
                Some(v) => self.text(v).ok_or(EvalError::Type),
            };
            let made = text(&left)? + &text(&right)?;
            self.made_text(made.len())?;
            return self.leave(base, Some(Value::owned(made)));
        }
        let (Some(left), Some(right)) = (left, right) else {
            return self.leave(base, None);
        };
        let (left, right) = (self.system(&left), self.system(&right));
        let made = match op {
            Op::Less | Op::LessEq | Op::Greater | Op::GreaterEq => {
                order(&left, &right)?.map(|order| {
                    Value::Bool(match op {
                        Op::Less => order == Ordering::Less,
                        Op::LessEq => order != Ordering::Greater,
                        Op::Greater => order == Ordering::Greater,
                        _ => order != Ordering::Less,
                    })
                })
            }
            _ => {
                if let (Value::Str(x), Value::Str(y)) = (&left, &right) {
                    self.made_text(x.as_str().len() + y.as_str().len())?;
                }
                arithmetic(op, &left, &right)?
            }
        };
        self.leave(base, made)
    }

    /// Counts bytes of text that is made.
    pub(crate) fn made_text(&mut self, bytes: usize) -> R<()> {
        if bytes > self.env.limits.text {
            return Err(EvalError::Limit);
        }
        self.step(bytes / 8)
    }

    fn equal_lists(&mut self, base: usize, middle: usize) -> R<Option<bool>> {
        let count = middle - base;
        let other = self.stack.len() - middle;
        if count == 0 || other == 0 {
            return Ok(None);
        }
        if count != other {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for n in 0..count {
            let (Some(a), Some(b)) = (self.get(base + n), self.get(middle + n)) else {
                return Ok(None);
            };
            match self.equal(&a, &b)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => all = None,
            }
        }
        Ok(all)
    }

    fn equivalent_lists(&mut self, base: usize, middle: usize) -> R<bool> {
        let end = self.stack.len();
        if middle - base != end - middle {
            return Ok(false);
        }
        let mut left: Vec<Value<'d>> = self.slice(middle, end).to_vec();
        for n in base..middle {
            let Some(value) = self.get(n) else {
                return Ok(false);
            };
            let mut found = None;
            for (k, other) in left.iter().enumerate() {
                if self.equivalent(&value, other)? {
                    found = Some(k);
                    break;
                }
            }
            match found {
                Some(k) => left.swap_remove(k),
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    /// `=` of two values; `None` where precision or units leave it open.
    pub(crate) fn equal(&mut self, a: &Value<'d>, b: &Value<'d>) -> R<Option<bool>> {
        self.step(1)?;
        if let (Value::Item(x), Value::Item(y)) = (a, b) {
            if x == y {
                return Ok(Some(true));
            }
            if self.is_complex(*x) && self.is_complex(*y) {
                return Ok(Some(self.same_tree(*x, *y, true)?));
            }
        }
        let (a, b) = (self.system(a), self.system(b));
        if let (Some(x), Some(y)) = (number(&a), number(&b)) {
            return Ok(Some(x.cmp(y) == Ordering::Equal));
        }
        Ok(match (&a, &b) {
            (Value::Bool(x), Value::Bool(y)) => Some(x == y),
            (Value::Str(x), Value::Str(y)) => {
                self.step(x.as_str().len() / 16)?;
                Some(x.as_str() == y.as_str())
            }
            (Value::Temporal(x), Value::Temporal(y)) => {
                if (x.kind == TemporalKind::Time) == (y.kind == TemporalKind::Time) {
                    x.compare(**y).map(|o| o == Ordering::Equal)
                } else {
                    Some(false)
                }
            }
            (Value::Class(n, x), Value::Class(m, y)) => Some(n == m && x == y),
            (Value::Quantity(_), _) | (_, Value::Quantity(_)) => {
                match (as_quantity(&a), as_quantity(&b)) {
                    (Some(x), Some(y)) => {
                        convert(&y, &x).map(|y| x.value.cmp(y) == Ordering::Equal)
                    }
                    _ => Some(false),
                }
            }
            _ => Some(false),
        })
    }

    fn equivalent(&mut self, a: &Value<'d>, b: &Value<'d>) -> R<bool> {
        self.step(1)?;
        if let (Value::Item(x), Value::Item(y)) = (a, b)
            && self.is_complex(*x)
            && self.is_complex(*y)
        {
            return self.same_tree(*x, *y, false);
        }
        let (a, b) = (self.system(a), self.system(b));
        if let (Value::Dec(_), _) | (_, Value::Dec(_)) = (&a, &b)
            && let (Some(x), Some(y)) = (number(&a), number(&b))
        {
            return Ok(x.equivalent(y));
        }
        match (&a, &b) {
            (Value::Str(x), Value::Str(y)) => {
                self.step(x.as_str().len() / 8)?;
                Ok(folded(x.as_str()) == folded(y.as_str()))
            }
            (Value::Quantity(_), _) | (_, Value::Quantity(_)) => {
                Ok(match (as_quantity(&a), as_quantity(&b)) {
                    (Some(x), Some(y)) => convert(&y, &x).is_some_and(|y| x.value.equivalent(y)),
                    _ => false,
                })
            }
            _ => Ok(self.equal(&a, &b)? == Some(true)),
        }
    }

    /// Whether the element has elements and is no quantity.
    fn is_complex(&self, item: Item) -> bool {
        self.doc(item.doc)
            .is_some_and(|doc| item.node == NONE || doc.tree.kind(item.node) == Kind::Object)
    }

    /// Whether two elements have the same elements with the same values.
    fn same_tree(&mut self, a: Item, b: Item, strict: bool) -> R<bool> {
        let base = self.stack.len();
        self.children(a)?;
        let middle = self.stack.len();
        self.children(b)?;
        let end = self.stack.len();
        let same = middle - base == end - middle && self.same_children(base, middle, strict)?;
        self.stack.truncate(base);
        Ok(same)
    }

    fn same_children(&mut self, base: usize, middle: usize, strict: bool) -> R<bool> {
        // Order of names does not matter in JSON; that of values with one name does.
        let count = middle - base;
        let mut order: Vec<(Vec<u8>, usize)> = Vec::with_capacity(2 * count);
        for at in base..self.stack.len() {
            let Some(Value::Item(item)) = self.get(at) else {
                return Ok(false);
            };
            order.push((self.key_of(item), at));
        }
        let (left, right) = order.split_at_mut(count);
        warifu_order::sort(left);
        warifu_order::sort(right);
        for ((name, x), (other, y)) in left.iter().zip(right.iter()) {
            let (Some(x), Some(y)) = (self.get(*x), self.get(*y)) else {
                return Ok(false);
            };
            if name != other {
                return Ok(false);
            }
            let same = if strict {
                self.equal(&x, &y)? == Some(true)
            } else {
                self.equivalent(&x, &y)?
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Key under which an element stands.
    fn key_of(&self, item: Item) -> Vec<u8> {
        let Some(doc) = self.doc(item.doc) else {
            return Vec::new();
        };
        let id = if item.node == NONE {
            item.twin
        } else {
            item.node
        };
        let array = doc.tree.parent(id);
        let id = if doc.tree.kind(array) == Kind::Array {
            array
        } else {
            id
        };
        let key = doc.tree.key(id);
        key.strip_prefix('_').unwrap_or(&key).as_bytes().to_vec()
    }

    /// Whether a value equals one of a run.
    pub(crate) fn holds_value(&mut self, value: &Value<'d>, (from, to): (usize, usize)) -> R<bool> {
        for at in from..to {
            if let Some(other) = self.get(at)
                && self.equal(value, &other)? == Some(true)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A number that equal values share.
    fn fingerprint(&self, value: &Value<'d>) -> u64 {
        let text = |kind: u64, text: &str| {
            text.bytes().fold(kind ^ 0xCBF2_9CE4_8422_2325, |h, b| {
                (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
            })
        };
        match self.system(value) {
            Value::Bool(b) => u64::from(b),
            Value::Int(n) => text(2, &n.to_string()),
            Value::Dec(d) => text(2, &d.trimmed(0).to_string()),
            Value::Str(t) => text(3, t.as_str()),
            Value::Temporal(_) => 4,
            Value::Quantity(_) => 5,
            Value::Class(_, name) => text(6, name),
            Value::Item(item) => self.tree_fingerprint(item, 2),
        }
    }

    /// Of an element: its texts down to a depth, whatever their order.
    fn tree_fingerprint(&self, item: Item, depth: u8) -> u64 {
        let Some(doc) = self.doc(item.doc) else {
            return 7;
        };
        node_fingerprint(doc, item.node, depth)
    }

    /// Removes from `from` on what equals a value since `first`.
    pub(crate) fn distinct_from(&mut self, first: usize, from: usize) -> R<()> {
        self.distinct_more(&mut Seen::default(), first, from)
    }

    /// The same, again and again for one `first`.
    pub(crate) fn distinct_more(&mut self, seen: &mut Seen, first: usize, from: usize) -> R<()> {
        let end = self.stack.len();
        let many = end - first > FEW;
        if many {
            for at in first.max(seen.upto)..from {
                if let Some(v) = self.get(at) {
                    self.step(4)?;
                    seen.places
                        .entry(self.fingerprint(&v))
                        .or_default()
                        .push(at);
                }
            }
        }
        let mut kept = from;
        for at in from..end {
            let Some(value) = self.get(at) else {
                continue;
            };
            let mut double = false;
            if many {
                self.step(4)?;
                let key = self.fingerprint(&value);
                let like = seen.places.entry(key).or_default();
                for other in like.iter() {
                    double |= self.holds_value(&value, (*other, *other + 1))?;
                    if double {
                        break;
                    }
                }
                if !double {
                    like.push(kept);
                }
            } else {
                double = self.holds_value(&value, (first, kept))?;
            }
            if !double {
                if let Some(slot) = self.stack.get_mut(kept) {
                    *slot = value;
                }
                kept += 1;
            }
        }
        if many {
            seen.upto = kept;
        }
        self.stack.truncate(kept);
        Ok(())
    }
}

/// Places of values by fingerprint.
#[derive(Default)]
pub(crate) struct Seen {
    places: BTreeMap<u64, Vec<usize>>,
    /// Values before this place are in.
    upto: usize,
}

/// Order of two values of a kind that has one.
pub(crate) fn order(a: &Value<'_>, b: &Value<'_>) -> R<Option<Ordering>> {
    if let (Some(a), Some(b)) = (number(a), number(b)) {
        return Ok(Some(a.cmp(b)));
    }
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Value::Temporal(a), Value::Temporal(b)) => {
            if (a.kind == TemporalKind::Time) != (b.kind == TemporalKind::Time) {
                return Err(EvalError::Type);
            }
            Ok(a.compare(**b))
        }
        (Value::Quantity(_), _) | (_, Value::Quantity(_)) => {
            match (as_quantity(a), as_quantity(b)) {
                (Some(a), Some(b)) => Ok(a.compare(&b)),
                _ => Err(EvalError::Type),
            }
        }
        _ => Err(EvalError::Type),
    }
}

fn arithmetic(op: Op, a: &Value<'_>, b: &Value<'_>) -> R<Option<Value<'static>>> {
    if let (Value::Int(x), Value::Int(y)) = (a, b) {
        return Ok(match op {
            Op::Add => int(x.checked_add(*y)),
            Op::Sub => int(x.checked_sub(*y)),
            Op::Mul => int(x.checked_mul(*y)),
            Op::IntDiv => int(x.checked_div(*y)),
            Op::Mod => int(x.checked_rem(*y)),
            _ => Dec::int(*x).div(Dec::int(*y)).map(Value::dec),
        });
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(match op {
            Op::Add => x.add(y).map(Value::dec),
            Op::Sub => x.sub(y).map(Value::dec),
            Op::Mul => x.mul(y).map(Value::dec),
            Op::Div => x.div(y).map(Value::dec),
            Op::IntDiv => int(x.div_whole(y)),
            _ => x.rem(y).map(Value::dec),
        });
    }
    match (a, b) {
        (Value::Str(x), Value::Str(y)) if op == Op::Add => {
            Ok(Some(Value::owned([x.as_str(), y.as_str()].concat())))
        }
        (Value::Temporal(t), Value::Quantity(q)) if matches!(op, Op::Add | Op::Sub) => {
            let amount = if op == Op::Add {
                q.value
            } else {
                q.value.negate()
            };
            Ok(shift(**t, q, amount)?.map(Value::temporal))
        }
        (Value::Quantity(_), _) | (_, Value::Quantity(_)) => {
            let (Some(x), Some(y)) = (as_quantity(a), as_quantity(b)) else {
                return Err(EvalError::Type);
            };
            Ok(quantities(op, &x, &y)?.map(|q| Value::Quantity(Rc::new(q))))
        }
        _ => Err(EvalError::Type),
    }
}

fn node_fingerprint(doc: Doc<'_>, id: warifu_json::NodeId, depth: u8) -> u64 {
    let mut sum = 7_u64;
    if id == NONE || depth == 0 {
        return sum;
    }
    for child in doc.tree.children(id).take(16) {
        let own = match doc.tree.kind(child) {
            Kind::String => doc.tree.text(child).bytes().fold(11_u64, |h, b| {
                (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
            }),
            Kind::Object | Kind::Array => node_fingerprint(doc, child, depth - 1),
            _ => 13,
        };
        sum = sum.wrapping_add(own);
    }
    sum
}

/// A date or time moved by a quantity.
fn shift(t: Temporal, q: &Quantity, amount: Dec) -> R<Option<Temporal>> {
    let word = if q.calendar || crate::syntax::is_calendar(&q.unit) {
        calendar(&q.unit)
    } else {
        match &*q.unit {
            "wk" => "week",
            "d" => "day",
            "h" => "hour",
            "min" => "minute",
            "s" => "second",
            "ms" => "millisecond",
            _ => return Err(EvalError::Unit),
        }
    };
    let (span, amount) = match word {
        "year" => (Span::Years, amount),
        "month" => (Span::Months, amount),
        "week" => (Span::Weeks, amount),
        "day" => (Span::Days, amount),
        "hour" => (Span::Hours, amount),
        "minute" => (Span::Minutes, amount),
        // Only seconds have parts: FHIRPath §6.6.7.
        "second" => (Span::Millis, amount.mul(Dec::int(1000)).unwrap_or(amount)),
        _ => (Span::Millis, amount),
    };
    Ok(t.plus(amount, span))
}

fn quantities(op: Op, a: &Quantity, b: &Quantity) -> R<Option<Quantity>> {
    let with = |value: Option<Dec>, unit: String, calendar: bool| {
        value.map(|value| Quantity {
            value,
            unit: unit.into(),
            calendar,
        })
    };
    Ok(match op {
        Op::Add | Op::Sub => {
            let other = convert(b, a);
            let value = other.and_then(|o| {
                if op == Op::Add {
                    a.value.add(o)
                } else {
                    a.value.sub(o)
                }
            });
            with(value, a.unit.to_string(), a.calendar)
        }
        Op::Mul | Op::Div => {
            if a.calendar || b.calendar {
                return Err(EvalError::Unit);
            }
            let divide = op == Op::Div;
            let value = if divide {
                a.value.div(b.value)
            } else {
                a.value.mul(b.value)
            };
            let unit = match (&*a.unit, &*b.unit) {
                (x, "1") => x.to_owned(),
                ("1", y) if !divide => y.to_owned(),
                (x, y) if divide && x == y => "1".to_owned(),
                (x, y) => format!("({x}){}({y})", if divide { '/' } else { '.' }),
            };
            with(value, unit, false)
        }
        _ => return Err(EvalError::Type),
    })
}
