//! Applying fixes: only the bytes that fixes name change.

use std::collections::BTreeMap;

use warifu_diag::{Applicability, Diagnostic};

/// A file after its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Indices into the findings whose fixes were applied.
    pub applied: Vec<usize>,
}

/// Applies the fixes of a file's findings, in the order of their places; a fix that overlaps one before it
/// waits for the next time. With `risky` also those that somebody has to look at. Findings of other files
/// (`number` is this file's) are passed over.
pub fn apply(bytes: &[u8], number: u32, found: &[Diagnostic], risky: bool) -> Fixed {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|i| {
        found
            .get(*i)
            .and_then(|d| d.fix())
            .and_then(|f| f.edits.first().map(|(s, _)| (s.start, s.end)))
    });
    // Edits by their start: end, and what comes instead.
    let mut edits: BTreeMap<u32, (u32, &[u8])> = BTreeMap::new();
    let mut applied = Vec::new();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    for i in order {
        let Some(d) = found.get(i).filter(|d| d.span.source.0 == number) else {
            continue;
        };
        let Some(fix) = d
            .fix()
            .filter(|f| risky || f.applicability == Applicability::Safe)
        else {
            continue;
        };
        let fits = !fix.edits.is_empty()
            && fix.edits.iter().all(|(s, _)| {
                let free = edits
                    .range(..=s.end)
                    .next_back()
                    .is_none_or(|(start, (end, _))| *start < s.start && *end <= s.start);
                s.source.0 == number && s.start <= s.end && s.end <= length && free
            });
        if fits {
            edits.extend(
                fix.edits
                    .iter()
                    .map(|(s, b)| (s.start, (s.end, b.as_slice()))),
            );
            applied.push(i);
        }
    }
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for (start, (end, instead)) in edits {
        out.extend_from_slice(bytes.get(from..at(start)).unwrap_or_default());
        out.extend_from_slice(instead);
        from = at(end);
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    applied.sort_unstable();
    Fixed {
        bytes: out,
        applied,
    }
}

#[cfg(test)]
mod tests {
    use warifu_diag::{Fix, SourceId, Span, catalogue::enc};

    use super::*;

    fn span(source: u32, start: u32, end: u32) -> Span {
        Span {
            source: SourceId(source),
            start,
            end,
        }
    }

    fn with(source: u32, applicability: Applicability, edits: &[(u32, u32, &str)]) -> Diagnostic {
        let edits: Vec<(Span, Vec<u8>)> = edits
            .iter()
            .map(|(a, b, t)| (span(source, *a, *b), t.as_bytes().to_vec()))
            .collect();
        Diagnostic::new(&enc::ENC107, span(source, 1, 2)).with_fix(Fix {
            applicability,
            title_ja: "直す",
            title_en: "mend",
            edits,
        })
    }

    #[test]
    fn only_named_bytes_change_and_overlaps_wait() {
        use Applicability::{Safe, Unsafe};
        let found = [
            with(0, Safe, &[(4, 6, "XY"), (8, 8, "+")]),
            with(0, Safe, &[(0, 1, "")]),
            with(0, Safe, &[(5, 7, "no")]),
            with(1, Safe, &[(2, 3, "no")]),
            with(0, Unsafe, &[(2, 3, "u")]),
            with(0, Safe, &[(90, 91, "outside")]),
        ];
        let safe = apply(b"0123456789", 0, &found, false);
        assert_eq!(
            (safe.bytes.as_slice(), safe.applied),
            (&b"123XY67+89"[..], vec![0, 1])
        );
        let all = apply(b"0123456789", 0, &found, true);
        assert_eq!(
            (all.bytes.as_slice(), all.applied),
            (&b"1u3XY67+89"[..], vec![0, 1, 4])
        );
        assert_eq!(apply(b"ab", 0, &[], true).bytes, b"ab");
    }
}
