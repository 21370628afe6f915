//! What a check of one message may ask and say.

use std::borrow::Cow;

use warifu_diag::{Applicability, Code, Diagnostic, FieldPath, Fix, SourceId, Span};
use warifu_hl7::time::{self, Time};
use warifu_hl7::{Message, Part, Segment, Val};
use warifu_ssmix2::{DataKind, FileName};

use crate::Options;
use crate::patient::Facts;

/// One message while it is checked.
pub(crate) struct Cx<'m, 'o> {
    pub(crate) message: Message<'m>,
    /// Data kind by the file's name, else guessed from the message.
    pub(crate) kind: Option<DataKind>,
    /// Whether it tells vital signs (ORU^R30 of the extended storage), which are no data kind.
    pub(crate) is_vital: bool,
    /// Name of the file, where it follows the grammar.
    pub(crate) name: Option<FileName<'m>>,
    /// Patient id of the folder, else of the name; empty when there is none.
    pub(crate) patient: &'m str,
    pub(crate) source: SourceId,
    pub(crate) options: Options,
    /// The segment that is looked at.
    pub(crate) segment: Option<Segment<'m>>,
    /// MSH-7, when it can be read.
    pub(crate) sent: Option<Time>,
    /// The ORC that governs the segment.
    pub(crate) order: Option<Segment<'m>>,
    /// The SPM that governs the segment.
    pub(crate) specimen: Option<Segment<'m>>,
    /// What the checks of several files need of this one.
    pub(crate) facts: &'o mut Facts,
    pub(crate) out: &'o mut Vec<Diagnostic>,
    /// Where in `out` those of this message begin.
    pub(crate) first: usize,
}

impl<'m> Cx<'m, '_> {
    /// Whether the message is of one of these kinds.
    pub(crate) fn is(&self, kinds: &[DataKind]) -> bool {
        self.kind.is_some_and(|kind| kinds.contains(&kind))
    }
    /// What was found in this message so far.
    pub(crate) fn own(&self) -> &[Diagnostic] {
        self.out.get(self.first..).unwrap_or_default()
    }
    /// Takes back what was found in this message and is told in other words.
    pub(crate) fn take_back(&mut self, told: impl Fn(&Diagnostic) -> bool) {
        let own = self.out.split_off(self.first.min(self.out.len()));
        self.out.extend(own.into_iter().filter(|d| !told(d)));
    }
    fn span(&self, (start, end): (u32, u32)) -> Span {
        Span {
            source: self.source,
            start,
            end,
        }
    }
    fn push(
        &mut self,
        code: Code,
        span: (u32, u32),
        path: Option<FieldPath>,
        argument: Option<Cow<'static, str>>,
        fix: Option<Fix>,
    ) {
        if !self.options.has(code) {
            return;
        }
        let mut d = Diagnostic::new(code, self.span(span));
        d.path = path;
        d.argument = argument;
        if let Some(fix) = fix {
            d = d.with_fix(fix);
        }
        self.out.push(d);
    }
    /// Path of a part, no deeper than the part itself.
    fn path_of(&self, at: Part<'_>) -> Option<FieldPath> {
        let mut path = self.message.locate(at.span().0)?;
        if at.has_repetitions() {
            (path.repetition, path.repeats) = (0, false);
        }
        if at.has_repetitions() || at.has_components() {
            path.component = 0;
        }
        if path.component == 0 || at.has_subcomponents() {
            path.subcomponent = 0;
        }
        Some(path)
    }
    /// Reports a field, repetition or component.
    pub(crate) fn report(&mut self, code: Code, at: Part<'_>) {
        self.push(code, at.span(), self.path_of(at), None, None);
    }
    /// The same with the argument of the text.
    pub(crate) fn report_with(
        &mut self,
        code: Code,
        at: Part<'_>,
        argument: impl Into<Cow<'static, str>>,
    ) {
        let path = self.path_of(at);
        self.push(code, at.span(), path, Some(argument.into()), None);
    }
    /// Reports a part that can be mended by other bytes in its place.
    pub(crate) fn report_fix(
        &mut self,
        code: Code,
        at: Part<'_>,
        argument: Option<Cow<'static, str>>,
        titles: (&'static str, &'static str),
        bytes: Vec<u8>,
    ) {
        self.report_fixes(code, at, argument, titles, vec![(at, bytes)]);
    }
    /// Reports a part that can be mended by other bytes in some places, ascending.
    pub(crate) fn report_fixes(
        &mut self,
        code: Code,
        at: Part<'_>,
        argument: Option<Cow<'static, str>>,
        titles: (&'static str, &'static str),
        edits: Vec<(Part<'_>, Vec<u8>)>,
    ) {
        let edits = edits.into_iter();
        let fix = Fix {
            applicability: code.fixable.unwrap_or(Applicability::Unsafe),
            title_ja: titles.0,
            title_en: titles.1,
            edits: edits
                .map(|(p, bytes)| (self.span(p.span()), bytes))
                .collect(),
        };
        let path = self.path_of(at);
        self.push(code, at.span(), path, argument, Some(fix));
    }
    /// Reports a value with the argument of the text.
    pub(crate) fn report_value(
        &mut self,
        code: Code,
        at: Val<'_>,
        argument: impl Into<Cow<'static, str>>,
    ) {
        let path = self.message.locate(at.start);
        self.push(code, (at.start, at.end), path, Some(argument.into()), None);
    }
    /// Reports some bytes of the message.
    pub(crate) fn report_bytes(&mut self, code: Code, span: (u32, u32)) {
        self.push(code, span, self.message.locate(span.0), None, None);
    }
    /// Reports bytes that can be mended by others in their place; those between segments have no path.
    pub(crate) fn report_bytes_fix(
        &mut self,
        code: Code,
        span: (u32, u32),
        path: Option<FieldPath>,
        titles: (&'static str, &'static str),
        bytes: Vec<u8>,
    ) {
        let fix = Fix {
            applicability: code.fixable.unwrap_or(Applicability::Unsafe),
            title_ja: titles.0,
            title_en: titles.1,
            edits: vec![(self.span(span), bytes)],
        };
        self.push(code, span, path, None, Some(fix));
    }
    /// Reports a whole segment: the bytes are its name.
    pub(crate) fn report_segment(
        &mut self,
        code: Code,
        at: Segment<'_>,
        argument: impl Into<Option<Cow<'static, str>>>,
    ) {
        let (start, end) = at.span();
        let span = (start, end.min(start + 3));
        self.push(
            code,
            span,
            self.message.locate(start),
            argument.into(),
            None,
        );
    }
    /// Reports a place inside or at the end of a segment, under the segment's path.
    pub(crate) fn report_end(
        &mut self,
        code: Code,
        segment: Segment<'_>,
        at: u32,
        argument: Option<Cow<'static, str>>,
    ) {
        let path = self.message.locate(segment.span().0);
        self.push(code, (at, at), path, argument, None);
    }
    /// Reports a field that is not there; the argument of the text is its name, e.g. `PID-7`.
    pub(crate) fn report_absent(&mut self, code: Code, at: Segment<'_>, field: usize) {
        let mut path = self.message.locate(at.span().0).unwrap_or_default();
        path.field = u32::try_from(field).unwrap_or(0);
        let argument = format!("{}-{field}", at.name_str());
        let span = at.field(field).span();
        self.push(code, span, Some(path), Some(argument.into()), None);
    }
    /// Reports a component that is not there; the argument of the text is its name, e.g. `PID-5.8`.
    pub(crate) fn report_absent_component(&mut self, code: Code, at: Part<'_>, component: usize) {
        let mut path = self.message.locate(at.span().0).unwrap_or_default();
        path.component = u32::try_from(component).unwrap_or(0);
        let argument = format!("{}-{}.{component}", path.segment_name(), path.field);
        self.push(code, at.span(), Some(path), Some(argument.into()), None);
    }
    /// Reports the whole file.
    pub(crate) fn report_file(&mut self, code: Code, argument: Option<Cow<'static, str>>) {
        self.push(code, (0, 0), None, argument, None);
    }
    /// Text of a field of the segment that is looked at: its first leaf, without blanks around.
    pub(crate) fn text(&self, field: usize) -> &'m str {
        self.segment
            .map_or("", |s| s.field(field).value().trimmed().text)
    }
    /// Segments after the one that is looked at, up to one whose name is in `until`.
    pub(crate) fn following(
        &self,
        until: &'static [&'static [u8; 3]],
    ) -> impl Iterator<Item = Segment<'m>> + use<'m> {
        let from = self.segment.map_or(usize::MAX, |s| {
            usize::try_from(s.position()).unwrap_or(0) + 1
        });
        let message = self.message;
        (from..)
            .map_while(move |at| message.segment(at))
            .take_while(move |s| !until.contains(&&s.name()))
    }
}

/// A time in a form that can be compared: digits as far as both are given.
pub(crate) fn is_after(a: &Time, b: &Time) -> bool {
    if a.hour.is_none() || b.hour.is_none() {
        return (a.year, a.month, a.day) > (b.year, b.month, b.day) && a.day > 0 && b.day > 0;
    }
    if a.second.is_none() || b.second.is_none() {
        return a.sort_key() / 100_000 > b.sort_key() / 100_000;
    }
    a.sort_key() > b.sort_key()
}

/// How many seconds the clocks of two systems may differ, before one time counts as later than the other.
const CLOCKS: i64 = 60;

/// Whether a time lies after another by more than clocks differ.
pub(crate) fn is_later(a: &Time, b: &Time) -> bool {
    let seconds = |t: &Time| {
        let (year, month, day) = (
            i64::from(t.year),
            i64::from(t.month.max(1)),
            i64::from(t.day.max(1)),
        );
        // Days since the first of March of the year 0: leap days come last.
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
        let hours = 24 * days + i64::from(t.hour.unwrap_or(0));
        (60 * hours + i64::from(t.minute) - i64::from(t.zone)) * 60
            + i64::from(t.second.unwrap_or(0))
    };
    is_after(a, b) && (a.hour.is_none() || b.hour.is_none() || seconds(a) - seconds(b) >= CLOCKS)
}

/// The time of a value, when it is one.
pub(crate) fn time_of(value: Val<'_>) -> Option<Time> {
    time::parse(value.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_less_than_a_minute() {
        let later = |a: &str, b: &str| is_later(&time::parse(a).unwrap(), &time::parse(b).unwrap());
        for (a, b) in [
            ("20260401093000", "20260401092957"),
            ("20260401093015.1234", "20260401093015.003"),
            ("20260301000010", "20260228235950"),
            ("202604010930", "20260401093059"),
            ("20260401", "20260401093000"),
            ("20260401093000", "20260401093100"),
            ("20260401093000+0900", "20260401003000+0000"),
        ] {
            assert!(!later(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("20260401093100", "20260401093000"),
            ("202604010931", "20260401093000"),
            ("20240301000010", "20240229235900"),
            ("20260402", "20260401093000"),
            ("20270101", "20261231235959"),
        ] {
            assert!(later(a, b), "{a} {b}");
        }
    }
}
