//! `markdown`: a table for `$GITHUB_STEP_SUMMARY`, one row a rule, 200 rows at most.

use std::collections::BTreeMap;

use super::{Context, Render};
use crate::report::{FileReport, Totals};

/// Rows shown; a step summary holds 1 MiB.
const ROWS: usize = 200;

pub(super) struct Markdown {
    context: Context,
    totals: Totals,
    /// The first place of a rule, and its title.
    first: BTreeMap<String, (String, String)>,
}

impl Markdown {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context,
            totals: Totals::default(),
            first: BTreeMap::new(),
        }
    }
}

/// Text of a table's cell.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\r', '\n'], " ")
}

/// A file name as code in a cell; a grave accent in it would end the code.
fn code(text: &str) -> String {
    format!(
        "`{}`",
        text.replace('`', "'")
            .replace('|', "\\|")
            .replace(['\r', '\n'], " ")
    )
}

impl Render for Markdown {
    fn begin(&mut self, totals: &Totals, _: &mut Vec<u8>) {
        self.totals = totals.clone();
    }
    fn file(&mut self, file: &FileReport, _: &mut Vec<u8>) {
        for f in &file.findings {
            if !self.first.contains_key(&f.code) {
                let at = f.primary.start;
                let path = f
                    .primary
                    .path
                    .as_ref()
                    .map(|p| format!(" {p}"))
                    .unwrap_or_default();
                let place = format!(
                    "{}:{}:{}{}",
                    code(&f.primary.file),
                    at.line,
                    at.column,
                    cell(&path)
                );
                // Keys of invariants are not in the catalogue: what they demand is in the message.
                let mut title = self.context.title(&f.code);
                if title == f.code {
                    title.clone_from(&f.message);
                }
                self.first.insert(f.code.clone(), (place, title));
            }
        }
    }
    fn end(&mut self, out: &mut Vec<u8>) {
        let s = &self.totals.summary;
        let ja = format!(
            "### warifu: エラー {} · 警告 {} · {} ファイル\n",
            s.errors, s.warnings, s.files
        );
        let en = format!(
            "### warifu: errors {} · warnings {} · {} files\n",
            s.errors, s.warnings, s.files
        );
        out.extend_from_slice(self.context.say(&ja, &en).as_bytes());
        if s.unreadable > 0 {
            let ja = format!("\n読めないもの {}\n", s.unreadable);
            let en = format!("\nunreadable {}\n", s.unreadable);
            out.extend_from_slice(self.context.say(&ja, &en).as_bytes());
        }
        if self.totals.rules.is_empty() {
            let none = self
                .context
                .say("\n問題は見つかりませんでした\n", "\nNo problem found\n");
            out.extend_from_slice(none.as_bytes());
        } else {
            let head = self.context.say(
                "\n| 規則 | 件数 | 最初の場所 |\n|---|--:|---|\n",
                "\n| rule | findings | first place |\n|---|--:|---|\n",
            );
            out.extend_from_slice(head.as_bytes());
            let mut rows: Vec<(&String, u64, [u64; 3])> = self
                .totals
                .rules
                .iter()
                .map(|(c, n)| (c, n.iter().sum(), *n))
                .collect();
            // The worst first: by errors, then warnings, then infos.
            warifu_order::sort_by(&mut rows, |a, b| b.2.cmp(&a.2).then(a.0.cmp(b.0)));
            for (rule, n, _) in rows.iter().take(ROWS) {
                let (place, title) = match self.first.get(*rule) {
                    Some((place, title)) => (place.as_str(), cell(title)),
                    None => ("", cell(&self.context.title(rule))),
                };
                out.extend_from_slice(format!("| `{rule}` {title} | {n} | {place} |\n").as_bytes());
            }
            let more = rows.len().saturating_sub(ROWS);
            if more > 0 {
                let n: u64 = rows.iter().skip(ROWS).map(|r| r.1).sum();
                let ja = format!("\nほか {more} 規則、{n} 件\n");
                let en = format!("\n{more} more rules with {n} findings\n");
                out.extend_from_slice(self.context.say(&ja, &en).as_bytes());
            }
        }
        if self.totals.solved > 0 {
            let ja = format!("\n基準から消せるもの {}\n", self.totals.solved);
            let en = format!(
                "\nsolved, to be removed from the baseline: {}\n",
                self.totals.solved
            );
            out.extend_from_slice(self.context.say(&ja, &en).as_bytes());
        }
    }
}
