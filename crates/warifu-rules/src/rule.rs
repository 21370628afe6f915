//! What a rule is, and where it looks.

use warifu_diag::Code;

use crate::cx::Cx;
use crate::patient::PatientCx;
use warifu_hl7::{Part, Segment};

/// Something the checker can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Code, texts, examples, profile.
    pub entry: Code,
}

/// A function and where it is called: the registration of one or more codes.
pub(crate) struct Check {
    pub(crate) on: On,
}

/// Where a check looks.
#[derive(Clone, Copy)]
pub(crate) enum On {
    /// Each non-empty field of this number in segments of this name.
    Field(&'static str, u8, for<'m> fn(&mut Cx<'m, '_>, Part<'m>)),
    /// Each segment of this name, before its fields.
    Segment(&'static str, for<'m> fn(&mut Cx<'m, '_>, Segment<'m>)),
    /// Each message, after its segments.
    Message(fn(&mut Cx<'_, '_>)),
    /// All files of a patient.
    Patient(fn(&mut PatientCx<'_, '_>)),
}

/// Each non-empty field of this number in segments of this name.
pub(crate) const fn field(
    segment: &'static str,
    number: u8,
    check: for<'m> fn(&mut Cx<'m, '_>, Part<'m>),
) -> Check {
    Check {
        on: On::Field(segment, number, check),
    }
}

/// Each segment of this name.
pub(crate) const fn segment(
    segment: &'static str,
    check: for<'m> fn(&mut Cx<'m, '_>, Segment<'m>),
) -> Check {
    Check {
        on: On::Segment(segment, check),
    }
}

/// Each message.
pub(crate) const fn message(check: fn(&mut Cx<'_, '_>)) -> Check {
    Check {
        on: On::Message(check),
    }
}

/// All files of a patient.
pub(crate) const fn patient(check: fn(&mut PatientCx<'_, '_>)) -> Check {
    Check {
        on: On::Patient(check),
    }
}
