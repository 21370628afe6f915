//! What only several files of one patient can show.

use std::borrow::Cow;

use warifu_diag::{Code, Diagnostic, FieldPath, Label, SourceId, Span};
use warifu_hl7::time::Time;
use warifu_hl7::{Part, Val};
use warifu_ssmix2::{DataKind, FileName};

use crate::Options;
use crate::cx::Cx;

/// A text with the place it was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) text: String,
    pub(crate) span: Span,
    pub(crate) path: Option<FieldPath>,
}

/// A value of several components, each with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// All of them.
    pub(crate) whole: Spot,
    pub(crate) parts: Vec<Spot>,
}

impl Parts {
    /// Where the value is another one than `other`: the first component that `fold` tells apart, else the
    /// whole; each with what it is compared with.
    pub(crate) fn difference<'a>(
        &'a self,
        other: &'a Self,
        fold: impl Fn(&str) -> String,
    ) -> (&'a Spot, &'a Spot) {
        let own = |p: &&Spot| !p.text.is_empty();
        let differs = |(a, b): &(&Spot, &Spot)| own(a) && fold(&a.text) != fold(&b.text);
        let pair = self.parts.iter().zip(&other.parts).find(differs);
        pair.map_or((&self.whole, &other.whole), |(a, b)| {
            (a, if own(&b) { b } else { &other.whole })
        })
    }
}

/// A coverage: its plan, its days, where they stand.
#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    /// Whether it is a medical insurance; else it is public expense.
    pub(crate) medical: bool,
    pub(crate) begin: Option<Time>,
    pub(crate) end: Option<Time>,
    pub(crate) at: Spot,
}

/// What one file says that others are compared with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Whether anybody will ask.
    pub(crate) wanted: bool,
    pub(crate) kind: Option<DataKind>,
    /// Whether PID-3 names somebody else than the folder.
    pub(crate) other_person: bool,
    pub(crate) control_id: Spot,
    pub(crate) sent: Option<Time>,
    pub(crate) kanji: Parts,
    pub(crate) kana: Parts,
    pub(crate) birth: Spot,
    pub(crate) sex: Spot,
    /// Postal code and text of the first address.
    pub(crate) address: Parts,
    /// ORC-2 of each order.
    pub(crate) orders: Vec<Spot>,
    pub(crate) coverages: Vec<Coverage>,
    /// Whether the message cancels.
    pub(crate) cancels: bool,
    /// PV1-44 and PV1-45.
    pub(crate) admitted: Spot,
    pub(crate) discharged: Spot,
    /// PRB-4.
    pub(crate) problems: Vec<Spot>,
}

impl Facts {
    /// Forgets the message before.
    pub(crate) fn fresh(wanted: bool) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }
}

impl Cx<'_, '_> {
    /// A value with its place, to be kept.
    pub(crate) fn spot(&self, value: Val<'_>) -> Spot {
        Spot {
            text: value.text.trim().to_owned(),
            span: Span {
                source: self.source,
                start: value.start,
                end: value.end,
            },
            path: self.message.locate(value.start),
        }
    }
    /// Components of a repetition with their places, to be kept; `joint` stands between them in the whole.
    pub(crate) fn parts(&self, at: Part<'_>, numbers: &[usize], joint: &str) -> Parts {
        let parts: Vec<Spot> = numbers
            .iter()
            .map(|n| self.spot(at.comp(*n).value()))
            .collect();
        let texts: Vec<&str> = parts.iter().map(|p| p.text.as_str()).collect();
        let mut whole = Spot {
            text: texts.join(joint),
            ..self.spot(at.text())
        };
        if whole.text.trim().is_empty() {
            whole.text.clear();
        }
        if let Some(path) = &mut whole.path {
            (path.component, path.subcomponent) = (0, 0);
        }
        Parts { whole, parts }
    }
}

/// All files of a patient.
pub(crate) struct PatientCx<'f, 'o> {
    /// Names in the order of the files; `None` where a name does not follow the grammar.
    pub(crate) names: &'f [Option<FileName<'f>>],
    pub(crate) facts: &'f [Facts],
    /// Content folder of each file of the extended storage, and whether the file is its main document.
    pub(crate) contents: &'f [Option<(Vec<&'f str>, bool)>],
    pub(crate) options: Options,
    pub(crate) out: &'o mut Vec<Diagnostic>,
}

impl PatientCx<'_, '_> {
    /// Span of a whole file.
    pub(crate) fn file(index: usize) -> Span {
        Span {
            source: SourceId(u32::try_from(index).unwrap_or(u32::MAX)),
            start: 0,
            end: 0,
        }
    }
    /// Reports a place, with the place it is compared with.
    pub(crate) fn report(
        &mut self,
        code: Code,
        at: &Spot,
        argument: Option<Cow<'static, str>>,
        other: Option<Label>,
    ) {
        if !self.options.has(code) {
            return;
        }
        let mut d = Diagnostic::new(code, at.span);
        d.path = at.path;
        d.argument = argument;
        if let Some(label) = other {
            d = d.with_label(label);
        }
        self.out.push(d);
    }
    /// Reports a whole file, with the file it is compared with.
    pub(crate) fn report_file(
        &mut self,
        code: Code,
        file: usize,
        other: Option<(usize, &'static str, &'static str)>,
    ) {
        let at = Spot {
            span: Self::file(file),
            ..Spot::default()
        };
        let label = other.map(|(other, ja, en)| Label {
            span: Self::file(other),
            path: None,
            ja,
            en,
        });
        self.report(code, &at, None, label);
    }
    /// Files that count (flag 1, or no storage name), with their facts.
    pub(crate) fn current(&self) -> Vec<usize> {
        let flag = |name: &Option<FileName<'_>>| {
            name.is_none_or(|n| n.flag == warifu_ssmix2::Flag::Current)
        };
        (0..self.facts.len())
            .filter(|&i| self.names.get(i).is_none_or(flag))
            .collect()
    }
}
