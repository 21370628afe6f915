//! Conversions: FHIRPath §5.5.

use std::rc::Rc;

use crate::dec::Dec;
use crate::eval::Evaluator;
use crate::program::SystemType;
use crate::syntax::is_calendar;
use crate::temporal::{Temporal, TemporalKind};
use crate::value::{Quantity, Value};

/// Reads `1`, `1.5 'mg'`, `4 days`.
fn quantity(text: &str) -> Option<Quantity> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    let value = Dec::parse(number.strip_prefix('+').unwrap_or(number))?;
    let rest = rest.trim();
    let (unit, calendar) = if rest.is_empty() {
        ("1", false)
    } else if let Some(inner) = rest.strip_prefix('\'') {
        (
            inner.strip_suffix('\'').filter(|u| !u.contains('\''))?,
            false,
        )
    } else if is_calendar(rest) {
        (rest, true)
    } else {
        return None;
    };
    Some(Quantity {
        value,
        unit: unit.into(),
        calendar,
    })
}

impl<'d> Evaluator<'d> {
    /// The value as another type, if it has one there.
    pub(crate) fn to_type(&self, value: &Value<'d>, of: SystemType) -> Option<Value<'d>> {
        let value = self.system(value);
        if value.system_type() == Some(of) {
            return Some(value);
        }
        match of {
            SystemType::Boolean => to_boolean(&value).map(Value::Bool),
            SystemType::Integer => match &value {
                Value::Bool(b) => Some(Value::Int(i64::from(*b))),
                Value::Str(t) => {
                    let text = t.as_str();
                    let n: i32 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
                    Some(Value::Int(i64::from(n)))
                }
                _ => None,
            },
            SystemType::Decimal => match &value {
                Value::Bool(b) => Some(Value::dec(if *b {
                    Dec::new(10, 1)
                } else {
                    Dec::new(0, 1)
                })),
                Value::Int(n) => Some(Value::dec(Dec::int(*n))),
                Value::Str(t) => {
                    let text = t.as_str();
                    let text = text.strip_prefix('+').unwrap_or(text);
                    if text.contains(['e', 'E']) {
                        return None;
                    }
                    Dec::parse(text).map(Value::dec)
                }
                _ => None,
            },
            SystemType::String => self.text(&value).map(Value::owned),
            SystemType::Date | SystemType::DateTime | SystemType::Time => {
                let kind = match of {
                    SystemType::Date => TemporalKind::Date,
                    SystemType::DateTime => TemporalKind::DateTime,
                    _ => TemporalKind::Time,
                };
                match &value {
                    Value::Temporal(t)
                        if kind == TemporalKind::Date && t.kind == TemporalKind::DateTime =>
                    {
                        Some(Value::temporal(t.to_date()))
                    }
                    Value::Temporal(t)
                        if kind == TemporalKind::DateTime && t.kind == TemporalKind::Date =>
                    {
                        Some(Value::temporal(t.to_datetime()))
                    }
                    Value::Str(t) => {
                        let text = t.as_str();
                        let made = Temporal::parse(text, kind).or_else(|| {
                            let made = Temporal::parse(text, TemporalKind::DateTime)?;
                            (kind == TemporalKind::Date).then(|| made.to_date())
                        });
                        made.map(Value::temporal)
                    }
                    _ => None,
                }
            }
            SystemType::Quantity => {
                let made = match &value {
                    Value::Int(n) => number(Dec::int(*n)),
                    Value::Dec(d) => number(**d),
                    Value::Bool(b) => number(if *b { Dec::new(10, 1) } else { Dec::new(0, 1) }),
                    Value::Str(t) => quantity(t.as_str())?,
                    _ => return None,
                };
                Some(Value::Quantity(Rc::new(made)))
            }
            SystemType::ClassInfo => None,
        }
    }
}

fn number(value: Dec) -> Quantity {
    Quantity {
        value,
        unit: "1".into(),
        calendar: false,
    }
}

fn to_boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Dec(d) if d.is_zero() => Some(false),
        Value::Dec(d) if d.cmp(Dec::int(1)).is_eq() => Some(true),
        Value::Str(t) => match t.as_str().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
