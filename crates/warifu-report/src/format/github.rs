//! `github`: workflow commands of GitHub Actions.
//!
//! A step shows 10 annotations of each level: of more findings 9 are shown, other codes first, and the
//! tenth says how many there are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Context, Render, title_of};
use crate::finding::Finding;
use crate::report::{FileReport, Totals, rank};

/// Annotations of one level a step shows.
const SHOWN: usize = 10;

/// Commands of one level, with their place in the report.
#[derive(Default)]
struct Level {
    total: u64,
    codes: BTreeSet<String>,
    /// The first finding of each code.
    distinct: Vec<(u64, String)>,
    /// The first findings.
    first: Vec<(u64, String)>,
}

pub(super) struct Github {
    context: Context,
    sequence: u64,
    levels: [Level; 3],
}

impl Github {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            sequence: 0,
            levels: Default::default(),
        }
    }
}

const COMMANDS: [&str; 3] = ["error", "warning", "notice"];

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn command(f: &Finding, command: &str) -> String {
    let (start, end) = (f.primary.start, f.primary.end);
    let help = f
        .help
        .as_ref()
        .map(|h| format!("\n{h}"))
        .unwrap_or_default();
    let mut place = format!("line={},endLine={}", start.line, end.line);
    // GitHub ignores columns of a range over several lines.
    if start.line == end.line {
        let _ = write!(place, ",col={},endColumn={}", start.column, end.column);
    }
    format!(
        "::{command} title={},file={},{place}::{}\n",
        property(&title_of(f)),
        property(&f.primary.file),
        data(&format!("{}{help}", f.message))
    )
}

impl Render for Github {
    fn begin(&mut self, _: &Totals, _: &mut Vec<u8>) {}
    fn file(&mut self, file: &FileReport, _: &mut Vec<u8>) {
        for f in &file.findings {
            let n = rank(&f.severity);
            let (Some(level), Some(word)) = (self.levels.get_mut(n), COMMANDS.get(n)) else {
                continue;
            };
            self.sequence += 1;
            level.total += 1;
            if level.first.len() < SHOWN {
                level.first.push((self.sequence, command(f, word)));
            }
            if level.distinct.len() < SHOWN && level.codes.insert(f.code.clone()) {
                level.distinct.push((self.sequence, command(f, word)));
            }
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        for (level, word) in self.levels.iter_mut().zip(COMMANDS) {
            let shown = if level.total <= 10 { SHOWN } else { SHOWN - 1 };
            level.distinct.truncate(shown);
            for candidate in level.first.drain(..) {
                if level.distinct.len() < shown && !level.distinct.contains(&candidate) {
                    level.distinct.push(candidate);
                }
            }
            warifu_order::sort(&mut level.distinct);
            for (_, line) in &level.distinct {
                out.extend_from_slice(line.as_bytes());
            }
            let rest = level.total - u64::try_from(level.distinct.len()).unwrap_or(0);
            if rest > 0 {
                let ja = format!("ほか {rest} 件は summary に");
                let en = format!("{rest} more: see the summary");
                let text = self.context.say(&ja, &en);
                out.extend_from_slice(format!("::{word} title=warifu::{text}\n").as_bytes());
            }
        }
    }
}
