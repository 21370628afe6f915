//! `text`: frames that show the line, a caret under the decoded field, why, and what to do.

use std::collections::BTreeMap;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Context, Render};
use crate::Lang;
use crate::excerpt::Excerpt;
use crate::finding::Finding;
use crate::report::{FileReport, Totals};

/// Findings of one code in one file that are shown.
const SHOWN: u64 = 20;
/// Columns of a frame.
const WIDTH: usize = 140;
/// Stands for `path:line:column`: the library counts characters of what it is shown, we count UTF-16 units
/// of the whole line.
const PLACE: &str = "\u{f8ff}";

pub(super) struct Text {
    context: Context,
    renderer: Renderer,
    some: bool,
}

impl Text {
    pub(super) fn new(context: Context) -> Self {
        let renderer = if context.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        Self {
            context,
            renderer: renderer.term_width(WIDTH),
            some: false,
        }
    }

    fn frame(&self, f: &Finding, e: &Excerpt) -> String {
        let ja = self.context.lang == Lang::Ja;
        let (level, word) = match f.severity.as_str() {
            "error" => (Level::ERROR, "エラー"),
            "warning" => (Level::WARNING, "警告"),
            _ => (Level::INFO, "情報"),
        };
        let level = if ja { level.with_name(word) } else { level };
        let title = level.primary_title(e.message.as_str()).id(f.code.as_str());
        // A finding about a whole file has no line to show.
        let mut group: Group<'_> = if e.text.is_empty() {
            title.element(Origin::path(PLACE))
        } else {
            let place = AnnotationKind::Primary.span(e.start..e.end);
            title.element(
                Snippet::source(e.text.as_str())
                    .line_start(usize::try_from(e.line).unwrap_or(1))
                    .path(PLACE)
                    .fold(false)
                    .annotation(place.label(e.label.as_str())),
            )
        };
        if !e.why.is_empty() {
            let name = if ja { "理由" } else { "why" };
            group = group.element(Level::NOTE.with_name(name).message(e.why.as_str()));
        }
        if !e.help.is_empty() {
            let name = if ja { "対処" } else { "help" };
            // Neither transaction files nor archives are rewritten.
            let mends = self.context.rewritable && f.primary.record.is_none();
            let fix = f.fix.as_ref().filter(|_| mends);
            let fix = match fix.map(|x| x.applicability.as_str()) {
                Some("safe") if ja => " (--fix で自動修正できます)",
                Some("safe") => " (--fix mends it)",
                Some(_) if ja => " (--fix --unsafe-fixes で修正できます。内容を確かめてください)",
                Some(_) => " (--fix --unsafe-fixes mends it; look at the result)",
                None => "",
            };
            group = group.element(
                Level::HELP
                    .with_name(name)
                    .message(format!("{}{fix}", e.help)),
            );
        }
        let text = self.renderer.render(&[group]);
        let mut place = format!("{}:{}:{}", f.primary.file, e.line, e.column);
        if let Some(record) = &f.primary.record {
            for part in [" (", record, ")"] {
                place.push_str(part);
            }
        }
        let mut shown = String::with_capacity(text.len() + place.len());
        for (n, line) in text.lines().enumerate() {
            // Without a line number the library indents less.
            if n > 0 && e.text.is_empty() {
                shown.push(' ');
            }
            match line.split_once(PLACE) {
                Some((arrow, _)) => {
                    shown.push_str(arrow);
                    shown.push_str(&place);
                }
                None => shown.push_str(line),
            }
            shown.push('\n');
        }
        shown
    }

    /// Blocks are set apart by a blank line.
    fn block(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.some {
            out.push(b'\n');
        }
        self.some = true;
        out.extend_from_slice(text.as_bytes());
    }
}

impl Render for Text {
    fn begin(&mut self, _: &Totals, _: &mut Vec<u8>) {}
    fn file(&mut self, file: &FileReport, out: &mut Vec<u8>) {
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for (f, e) in file.findings.iter().zip(&file.excerpts) {
            let n = seen.entry(&f.code).or_insert(0);
            *n += 1;
            if *n > SHOWN {
                continue;
            }
            let frame = self.frame(f, e);
            self.block(&frame, out);
        }
        for (code, n) in seen {
            if n > SHOWN {
                let rest = n - SHOWN;
                let ja = format!("{code}: ほか {rest} 件 ({})\n", file.path);
                let en = format!("{code}: {rest} more ({})\n", file.path);
                let text = self.context.say(&ja, &en).to_owned();
                self.block(&text, out);
            }
        }
    }
    fn end(&mut self, _: &mut Vec<u8>) {}
}
