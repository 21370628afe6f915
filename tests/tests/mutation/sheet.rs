//! A message as ranges of bytes: all that generator and oracle need, read without any crate of ours.

use std::ops::Range;

/// A segment and its fields.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) name: String,
    /// Ordinal among the segments of that name, from 1.
    pub(crate) ordinal: u32,
    /// From the name to before the terminator.
    pub(crate) span: Range<usize>,
    /// `fields[n]` is field n; `fields[0]` is the name. In MSH field 1 is the separator.
    pub(crate) fields: Vec<Range<usize>>,
}

impl Segment {
    /// A field; an empty range at the end of the segment where it is not sent.
    pub(crate) fn field(&self, n: usize) -> Range<usize> {
        let end = self.span.end..self.span.end;
        self.fields.get(n).cloned().unwrap_or(end)
    }
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) segments: Vec<Segment>,
}

/// Where a byte stands: segment, ordinal, field, component (0 where there is none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) segment: String,
    pub(crate) ordinal: u32,
    pub(crate) field: usize,
    pub(crate) component: usize,
    /// Components of the repetition.
    pub(crate) components: usize,
}

/// Splits a range at a delimiter that stands in single-byte text.
pub(crate) fn split(bytes: &[u8], range: Range<usize>, delimiter: u8) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut at, mut wide) = (range.start, range.start, false);
    while at < range.end {
        match bytes[at] {
            0x1b => {
                let rest = &bytes[at..range.end];
                wide = rest.starts_with(b"\x1b$");
                at += if rest.len() >= 3 { 3 } else { rest.len() };
            }
            // Half a character before an escape or a control character stands alone.
            _ if wide => {
                at += if bytes.get(at + 1).is_some_and(|b| *b < 0x20) {
                    1
                } else {
                    2
                }
            }
            b if b == delimiter => {
                out.push(start..at);
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    out.push(start..range.end.max(start));
    out
}

impl Sheet {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut segments: Vec<Segment> = Vec::new();
        let mut start = 0;
        while start < bytes.len() {
            let end = bytes[start..]
                .iter()
                .position(|b| matches!(b, b'\r' | b'\n'))
                .map_or(bytes.len(), |n| start + n);
            if end > start {
                let name = String::from_utf8_lossy(&bytes[start..end.min(start + 3)]).into_owned();
                let mut fields = split(bytes, start..end, b'|');
                if name == "MSH" {
                    fields.insert(1, start + 3..(start + 4).min(end));
                }
                let same = segments.iter().filter(|s| s.name == name).count();
                let ordinal = u32::try_from(same).unwrap() + 1;
                let span = start..end;
                segments.push(Segment {
                    name,
                    ordinal,
                    span,
                    fields,
                });
            }
            start = end + 1;
        }
        Self { segments }
    }

    /// Where a byte stands; the end of a segment belongs to its last field.
    pub(crate) fn locate(&self, bytes: &[u8], at: usize) -> Option<Spot> {
        let segment = self
            .segments
            .iter()
            .find(|s| s.span.start <= at && at <= s.span.end)?;
        let field = segment
            .fields
            .iter()
            .rposition(|f| f.start <= at && at <= f.end)
            .unwrap_or(0);
        let mut spot = Spot {
            segment: segment.name.clone(),
            ordinal: segment.ordinal,
            field,
            component: 0,
            components: 0,
        };
        if segment.name == "MSH" && field <= 2 {
            return Some(spot);
        }
        for repetition in split(bytes, segment.field(field), b'~') {
            let parts = split(bytes, repetition, b'^');
            if let Some(n) = parts.iter().position(|c| c.start <= at && at <= c.end) {
                spot.component = n + 1;
                spot.components = parts.len();
            }
        }
        Some(spot)
    }
}
