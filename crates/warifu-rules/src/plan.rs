//! What is to be checked in each field, compiled once from the field dictionary and the rules.

use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind;
use warifu_terms::fields::{self, FieldInfo, Usage};

use crate::cx::Cx;
use crate::rule::{Check, On};
use crate::rules;

/// How the text of a leaf is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Any text.
    Text,
    /// `NM`
    Number,
    /// `SI`
    SetId,
    /// `DT`
    Day,
    /// `TM`
    TimeOfDay,
    /// `TS`, `DTM`
    Time,
}

/// How a field is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One leaf, no components (but `TS` may carry its precision).
    Leaf(Leaf),
    /// `CWE`, `CNE`, `CE`: two triplets of code, text, system.
    Coded,
    /// Components, of which these are no plain text: number from 1, leaf.
    Components(Vec<(usize, Leaf)>),
    /// Components of which the first is coded with sub-components (`RPT`), or another one (`CQ`).
    CodedInside(Vec<(usize, Leaf)>, usize),
    /// `OBX-5`: as OBX-2 says.
    Varies,
}

pub(crate) fn leaf(datatype: &str) -> Leaf {
    match datatype {
        "NM" => Leaf::Number,
        "SI" => Leaf::SetId,
        "DT" => Leaf::Day,
        "TM" => Leaf::TimeOfDay,
        "TS" | "DTM" => Leaf::Time,
        _ => Leaf::Text,
    }
}

/// The shape of a data type.
pub(crate) fn shape(datatype: &str) -> Shape {
    match datatype {
        "*" => Shape::Varies,
        "CWE" | "CNE" | "CE" => Shape::Coded,
        "TS" => Shape::Leaf(Leaf::Time),
        _ => {
            let Some(info) = fields::datatype(datatype).filter(|d| !d.is_primitive()) else {
                return Shape::Leaf(leaf(datatype));
            };
            let leaves = info
                .components()
                .map(|c| (usize::from(c.n), leaf(c.datatype)))
                .filter(|(_, leaf)| *leaf != Leaf::Text)
                .collect();
            let coded = info
                .components()
                .find(|c| matches!(c.datatype, "CWE" | "CE"));
            match (datatype, coded) {
                ("RPT" | "CQ" | "ZRD", Some(c)) => Shape::CodedInside(leaves, usize::from(c.n)),
                _ => Shape::Components(leaves),
            }
        }
    }
}

/// Number of components of a data type; `None` where any number may stand.
pub(crate) fn width(datatype: &str) -> Option<usize> {
    match datatype {
        "*" | "GTS" => None,
        _ => match fields::datatype(datatype) {
            Some(info) if !info.is_primitive() => Some(info.components().count()),
            _ => Some(1),
        },
    }
}

/// What is to be checked in a field.
pub(crate) struct FieldPlan {
    pub(crate) info: FieldInfo,
    /// Bits of the data kinds that require it.
    required: u32,
    /// Bits of the data kinds that require it when it is known.
    expected: u32,
    /// Bits of the data kinds that use it.
    used: u32,
    pub(crate) shape: Shape,
    pub(crate) width: Option<usize>,
    /// Components that hold the value; none where any may.
    pub(crate) values: &'static [usize],
    /// Longest repetition in characters; 0 for no limit.
    pub(crate) length: usize,
    /// Whether HL7 lets it repeat.
    pub(crate) repeats: bool,
    pub(crate) checks: Vec<for<'m> fn(&mut Cx<'m, '_>, Part<'m>)>,
}

/// Bit of messages whose kind is not known.
const NO_KIND: u32 = 1 << 31;

fn bit(kind: Option<DataKind>) -> u32 {
    kind.and_then(|k| DataKind::ALL.iter().position(|one| *one == k))
        .and_then(|at| u32::try_from(at).ok())
        .map_or(NO_KIND, |at| 1 << at)
}

impl FieldPlan {
    fn new(segment: &str, info: FieldInfo) -> Self {
        // Text by its name and by HL7 v2.5 §12.3.1.17; the table of SS-MIX2 says TS.
        let datatype = if (segment, info.n) == ("PRB", 17) {
            "ST"
        } else {
            info.datatype
        };
        let mut plan = Self {
            info,
            required: 0,
            expected: 0,
            used: 0,
            shape: shape(datatype),
            width: width(datatype),
            values: rules::fields::values_of(datatype),
            length: rules::fields::length_of(segment, &info),
            repeats: rules::fields::repeats(segment, &info),
            checks: Vec::new(),
        };
        for kind in DataKind::ALL {
            let own = bit(Some(kind));
            let usage = info.usage_in(kind.code());
            match usage {
                Usage::Required => plan.required |= own,
                Usage::RequiredIfKnown => plan.expected |= own,
                _ => {}
            }
            if usage != Usage::NotUsed || segment == "OBX" {
                plan.used |= own;
            }
        }
        if info.usage == "R" {
            plan.required |= NO_KIND;
        }
        if info.usage.is_empty() {
            // MSH-21 carries the version of SS-MIX2 since 1.2c; the table has not followed.
            let version = (segment, info.n) == ("MSH", 21);
            plan.used = if version { u32::MAX } else { 0 };
        } else {
            plan.used |= NO_KIND;
        }
        plan
    }
    pub(crate) fn is_required(&self, kind: Option<DataKind>) -> bool {
        self.required & bit(kind) != 0
    }
    pub(crate) fn is_expected(&self, kind: Option<DataKind>) -> bool {
        self.expected & bit(kind) != 0
    }
    pub(crate) fn is_used(&self, kind: Option<DataKind>) -> bool {
        self.used & bit(kind) != 0
    }
}

/// What is to be checked in a segment.
pub(crate) struct SegmentPlan {
    name: [u8; 3],
    /// Whether SS-MIX2 has a table of its own for the segment.
    pub(crate) used: bool,
    pub(crate) fields: Vec<FieldPlan>,
    pub(crate) checks: Vec<for<'m> fn(&mut Cx<'m, '_>, Segment<'m>)>,
}

/// Everything that is to be checked.
pub(crate) struct Plan {
    segments: Vec<SegmentPlan>,
    pub(crate) messages: Vec<fn(&mut Cx<'_, '_>)>,
    pub(crate) patients: Vec<fn(&mut crate::patient::PatientCx<'_, '_>)>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Compiles the dictionary and the registered checks.
    pub(crate) fn new() -> Self {
        let mut segments: Vec<SegmentPlan> = fields::segments()
            .iter()
            .filter_map(|info| {
                Some(SegmentPlan {
                    name: *info.id.as_bytes().first_chunk()?,
                    used: info.id == "NTE" || info.fields().any(|f| !f.usage.is_empty()),
                    fields: info.fields().map(|f| FieldPlan::new(info.id, f)).collect(),
                    checks: Vec::new(),
                })
            })
            .collect();
        segments.sort_by_key(|s| s.name);
        let mut plan = Self {
            segments,
            messages: Vec::new(),
            patients: Vec::new(),
        };
        for check in rules::checks() {
            plan.register(check);
        }
        plan
    }
    fn register(&mut self, check: &Check) {
        match check.on {
            On::Field(segment, number, run) => {
                if let Some(field) = self
                    .named(segment)
                    .and_then(|s| s.fields.get_mut(usize::from(number).saturating_sub(1)))
                {
                    field.checks.push(run);
                }
            }
            On::Segment(segment, run) => {
                if let Some(segment) = self.named(segment) {
                    segment.checks.push(run);
                }
            }
            On::Message(run) => self.messages.push(run),
            On::Patient(run) => self.patients.push(run),
        }
    }
    fn named(&mut self, name: &str) -> Option<&mut SegmentPlan> {
        self.segments
            .iter_mut()
            .find(|s| s.name == *name.as_bytes())
    }
    /// What is to be checked in segments of a name.
    pub(crate) fn segment(&self, name: [u8; 3]) -> Option<&SegmentPlan> {
        let at = self.segments.binary_search_by_key(&name, |s| s.name).ok()?;
        self.segments.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_about_a_field_that_exists() {
        let plan = Plan::new();
        for check in rules::checks() {
            match check.on {
                On::Field(segment, number, _) => {
                    assert!(
                        fields::field(segment, number.into()).is_some(),
                        "{segment}-{number}"
                    );
                }
                On::Segment(segment, _) => assert!(fields::segment(segment).is_some(), "{segment}"),
                On::Message(_) | On::Patient(_) => {}
            }
        }
        assert!(!plan.messages.is_empty() && !plan.patients.is_empty());
    }

    #[test]
    fn uses_follow_the_kind() {
        let plan = Plan::new();
        let obx = plan.segment(*b"OBX").unwrap();
        let field = |n: usize| obx.fields.get(n - 1).unwrap();
        assert!(field(3).is_required(Some(DataKind::Oml11)));
        assert!(!field(3).is_required(Some(DataKind::Adt00)));
        let msh = plan.segment(*b"MSH").unwrap();
        assert!(msh.fields.get(9).unwrap().is_required(None));
    }
}
