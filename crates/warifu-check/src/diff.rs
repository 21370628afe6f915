//! What fixes change, as unified text: escape sequences and terminators are visible.

use std::fmt::Write as _;

use similar::algorithms::{Capture, Replace, myers};
use warifu_report::mask::LineShape;
use warifu_source::{Charset, decode, detect};

/// Lines around a change.
const AROUND: usize = 3;

/// A line of a file as it is shown.
fn shown(line: &[u8], charset: Charset, values: bool) -> String {
    let end = line
        .iter()
        .rposition(|b| !matches!(b, b'\r' | b'\n'))
        .map_or(0, |i| i + 1);
    let (text, terminator) = line.split_at(end);
    let mut out = String::new();
    let mut from = 0;
    // Each stretch is decoded with the escape sequence before it.
    for at in (1..=text.len()).filter(|i| *i == text.len() || text.get(*i) == Some(&0x1b)) {
        let stretch = text.get(from..at).unwrap_or_default();
        from = at;
        if stretch.first() == Some(&0x1b) {
            let intermediate = stretch
                .iter()
                .skip(1)
                .take_while(|b| (0x20..0x30).contains(*b))
                .count();
            out.push_str("\\x1b");
            let sequence = stretch
                .get(1..(2 + intermediate).min(stretch.len()))
                .unwrap_or_default();
            out.push_str(&String::from_utf8_lossy(sequence));
        }
        let plain = decode(stretch, charset).text;
        out.push_str(&if values {
            plain
        } else {
            LineShape::of("").line(&plain)
        });
    }
    for b in terminator {
        out.push_str(if *b == b'\r' { "\\r" } else { "\\n" });
    }
    out
}

/// Lines with their terminators: CR LF, CR or LF.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut from = 0;
    for (i, b) in bytes.iter().enumerate() {
        let ends = match b {
            b'\n' => true,
            b'\r' => bytes.get(i + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            lines.push(bytes.get(from..=i).unwrap_or_default());
            from = i + 1;
        }
    }
    if from < bytes.len() {
        lines.push(bytes.get(from..).unwrap_or_default());
    }
    lines
}

/// The change of one file; empty when there is none. Without `values` only shapes are shown.
pub fn diff(name: &str, old: &[u8], new: &[u8], values: bool) -> String {
    let (before, after) = (lines(old), lines(new));
    let (old_set, new_set) = (detect(old), detect(new));
    let mut out = String::new();
    // The one algorithm by its name: what takes any of them by value brings all into the module.
    let mut changes = Replace::new(Capture::new());
    let (olds, news) = (0..before.len(), 0..after.len());
    let Ok(()) = myers::diff(&mut changes, &before, olds, &after, news);
    for group in changes.into_inner().into_grouped_ops(AROUND) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        if out.is_empty() {
            let _ = writeln!(out, "--- {name}\n+++ {name}");
        }
        let range = |start: usize, end: usize| {
            let n = end - start;
            format!("{},{n}", if n == 0 { start } else { start + 1 })
        };
        let _ = writeln!(
            out,
            "@@ -{} +{} @@",
            range(first.old_range().start, last.old_range().end),
            range(first.new_range().start, last.new_range().end)
        );
        for op in &group {
            let (from, to) = (op.old_range(), op.new_range());
            let equal = op.tag() == similar::DiffTag::Equal;
            for line in before.get(from).unwrap_or_default() {
                let mark = if equal { ' ' } else { '-' };
                let _ = writeln!(out, "{mark}{}", shown(line, old_set, values));
            }
            for line in after.get(to).unwrap_or_default().iter().filter(|_| !equal) {
                let _ = writeln!(out, "+{}", shown(line, new_set, values));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_terminators_are_visible() {
        let old = b"MSH|1\rPID|\x1b(ITO@^\x1b(B|x\nZZZ|1\r";
        let new = b"MSH|1\rPID|\x1b$B%d%^%@\x1b(B|x\rZZZ|1\r";
        assert_eq!(
            diff("a", old, new, true),
            "--- a\n+++ a\n@@ -1,3 +1,3 @@\n MSH|1\\r\n-PID|\\x1b(Iﾔﾏﾀﾞ\\x1b(B|x\\n\n+PID|\\x1b$Bヤマダ\\x1b(B|x\\r\n ZZZ|1\\r\n"
        );
        assert!(!diff("a", old, new, false).contains("ヤマダ"));
        assert_eq!(diff("a", old, old, true), "");
    }
}
