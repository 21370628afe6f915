//! A value set's compose, read once.

use regex_lite::{Regex, RegexBuilder};
use warifu_package::Value;

/// Longest expression of a filter, and bytes it may be compiled to.
const LONGEST: usize = 4_096;
const COMPILED: usize = 1 << 20;

/// What a value set takes.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) includes: Vec<Rule>,
    pub(crate) excludes: Vec<Rule>,
    /// Whether codes that are inactive are in it.
    pub(crate) inactive: bool,
    /// Whether there is a compose; else only the expansion tells.
    pub(crate) has_compose: bool,
    /// The expansion, where it is published: system and code, sorted.
    pub(crate) expansion: Option<Expansion>,
}

/// A published expansion.
#[derive(Debug)]
pub(crate) struct Expansion {
    pub(crate) codes: Vec<(Box<str>, Box<str>)>,
    /// Whether it is all of the set.
    pub(crate) whole: bool,
}

/// One include or exclude.
#[derive(Debug)]
pub(crate) struct Rule {
    /// URL of the system; empty where only value sets are named.
    pub(crate) system: Box<str>,
    pub(crate) version: Box<str>,
    /// Codes listed, sorted; `None`: all that pass the filters.
    pub(crate) codes: Option<Vec<Box<str>>>,
    pub(crate) filters: Vec<Filter>,
    /// Sets all of which must contain the code.
    pub(crate) value_sets: Vec<Box<str>>,
}

/// A filter on the concepts of a system.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) property: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) op: Op,
}

/// Operators, FHIR R4 value set `filter-operator`.
#[derive(Debug)]
pub(crate) enum Op {
    Equal,
    IsA,
    DescendentOf,
    IsNotA,
    /// `None`: not compiled, as it is too long or no expression.
    Regex(Option<Box<Regex>>),
    In,
    NotIn,
    Generalizes,
    Exists,
    Unknown(Box<str>),
}

impl Op {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Equal => "=",
            Self::IsA => "is-a",
            Self::DescendentOf => "descendent-of",
            Self::IsNotA => "is-not-a",
            Self::Regex(_) => "regex",
            Self::In => "in",
            Self::NotIn => "not-in",
            Self::Generalizes => "generalizes",
            Self::Exists => "exists",
            Self::Unknown(op) => op,
        }
    }
}

impl Plan {
    pub(crate) fn of(set: Value<'_>) -> Self {
        let compose = set.get("compose");
        let rules = |key: &str| -> Vec<Rule> {
            compose
                .into_iter()
                .flat_map(|c| c.items_of(key))
                .map(rule)
                .collect()
        };
        let expansion = set.get("expansion");
        let inactive = compose.and_then(|c| c.get("inactive"));
        Self {
            includes: rules("include"),
            excludes: rules("exclude"),
            inactive: inactive.is_none_or(|i| i.plain() != Some("false")),
            has_compose: compose.is_some_and(|c| c.items_of("include").next().is_some()),
            expansion: expansion.map(expanded),
        }
    }
}

fn rule(include: Value<'_>) -> Rule {
    let codes = include.get("concept").map(|list| {
        let mut codes: Vec<Box<str>> = list.items().map(|c| c.text_of("code").into()).collect();
        warifu_order::sort(&mut codes);
        codes
    });
    Rule {
        system: include.text_of("system").into(),
        version: include.text_of("version").into(),
        codes,
        filters: include.items_of("filter").map(filter).collect(),
        value_sets: include
            .items_of("valueSet")
            .filter_map(Value::text)
            .map(Into::into)
            .collect(),
    }
}

fn filter(filter: Value<'_>) -> Filter {
    let value = filter.text_of("value");
    let op = match filter.text_of("op") {
        "=" => Op::Equal,
        "is-a" => Op::IsA,
        "descendent-of" => Op::DescendentOf,
        "is-not-a" => Op::IsNotA,
        // The whole value must match.
        "regex" => Op::Regex(
            (value.len() <= LONGEST)
                .then(|| {
                    RegexBuilder::new(&format!("^(?:{value})$"))
                        .size_limit(COMPILED)
                        .build()
                })
                .and_then(Result::ok)
                .map(Box::new),
        ),
        "in" => Op::In,
        "not-in" => Op::NotIn,
        "generalizes" => Op::Generalizes,
        "exists" => Op::Exists,
        other => Op::Unknown(other.into()),
    };
    Filter {
        property: filter.text_of("property").into(),
        value: value.into(),
        op,
    }
}

fn expanded(expansion: Value<'_>) -> Expansion {
    let mut codes: Vec<(Box<str>, Box<str>)> = Vec::new();
    let mut todo = vec![expansion];
    while let Some(level) = todo.pop() {
        for item in level.items_of("contains") {
            let code = item.text_of("code");
            let is_abstract = item.get("abstract").is_some_and(Value::is_true);
            if !code.is_empty() && !is_abstract {
                codes.push((item.text_of("system").into(), code.into()));
            }
            todo.push(item);
        }
    }
    warifu_order::sort(&mut codes);
    codes.dedup();
    let total = expansion
        .get("total")
        .and_then(Value::plain)
        .and_then(|t| t.parse::<usize>().ok());
    let partial =
        |p: Value<'_>| matches!(p.text_of("name"), "offset" | "count" | "limitedExpansion");
    Expansion {
        whole: total.is_none_or(|t| t <= codes.len())
            && !expansion.items_of("parameter").any(partial),
        codes,
    }
}
