//! `warifu show`: one message as a readable tree.

use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};
use warifu_convert::{Job, JobOptions};
use warifu_hl7::Index;
use warifu_hl7::text::TextMessage;
use warifu_report::Lang;
use warifu_report::finding::Finding;
use warifu_report::mask;
use warifu_report::view::{FieldNode, view};
use warifu_ssmix2::FileName;
use warifu_storage::{Content, HEAD, sniff};

use crate::{End, mistakes, say};

/// Options of `show`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a documented flag of its own"
)]
pub(crate) struct Show<'s> {
    pub(crate) file: &'s str,
    pub(crate) path: Option<&'s str>,
    pub(crate) hex: bool,
    pub(crate) empty: bool,
    pub(crate) format: &'s str,
    pub(crate) stdin_name: Option<&'s str>,
    pub(crate) colour: bool,
    /// Whether values are shown; otherwise their shape.
    pub(crate) values: bool,
}

/// Longest file `show` takes.
const MAX: u64 = 64 << 20;

/// Refuses what is no message, and says what shows it.
fn one_message(name: &str, bytes: &[u8], lang: Lang) -> anyhow::Result<()> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    let content = sniff(head);
    let text = match content {
        _ if content.is_archive() => say(
            lang,
            &format!(
                "{name} は書庫です。show は一つのメッセージを表示します。取り出して指定するか、warifu check {name} で全体を検査してください"
            ),
            &format!(
                "{name} is an archive; show takes one message. Take it out and give it, or check the whole with warifu check {name}"
            ),
        ),
        Content::Journal => say(
            lang,
            &format!(
                "{name} はトランザクションの記録です。show は一つのメッセージを表示します。全体は warifu convert {name} か warifu check {name} で読めます"
            ),
            &format!(
                "{name} is a transaction journal; show takes one message. warifu convert {name} and warifu check {name} read the whole"
            ),
        ),
        Content::Json | Content::Xml => say(
            lang,
            &format!(
                "{name} は HL7 v2 のメッセージではありません。FHIR の JSON は warifu check {name}、文書は warifu convert {name} で読めます"
            ),
            &format!(
                "{name} is no HL7 v2 message. warifu check {name} reads FHIR in JSON, warifu convert {name} documents"
            ),
        ),
        Content::Other if !is_text(head) => {
            let first: Vec<String> = head.iter().take(4).map(|b| format!("{b:02X}")).collect();
            let first = first.join(" ");
            say(
                lang,
                &format!("{name} は HL7 v2 のメッセージではありません。先頭のバイト: {first}"),
                &format!("{name} is no HL7 v2 message. First bytes: {first}"),
            )
        }
        _ => return Ok(()),
    };
    bail!(text)
}

/// Whether a path begins with what may be the name of a segment.
fn is_path(path: &str) -> bool {
    let plain = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    match path.as_bytes() {
        [first, a, b] | [first, a, b, b'-' | b'[', ..] => {
            first.is_ascii_uppercase() && plain(a) && plain(b)
        }
        _ => false,
    }
}

/// Whether no byte of it is a control that messages do not have.
fn is_text(head: &[u8]) -> bool {
    // Line ends, tab, the frame of MLLP, the escape of ISO-2022-JP and its shifts.
    let known = [0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x1b, 0x1c];
    head.iter().all(|b| *b >= 0x20 || known.contains(b))
}

/// Prints the message.
pub(crate) fn run(options: &Show<'_>, lang: Lang) -> anyhow::Result<End> {
    let mut bytes = Vec::new();
    let name = if options.file == "-" {
        std::io::stdin()
            .lock()
            .take(MAX + 1)
            .read_to_end(&mut bytes)?;
        options.stdin_name.unwrap_or("-").to_owned()
    } else {
        let path = Path::new(options.file);
        if !path.exists() {
            bail!(mistakes::not_found(path, lang));
        }
        std::fs::File::open(path)
            .and_then(|f| f.take(MAX + 1).read_to_end(&mut bytes))
            .with_context(|| path.display().to_string())?;
        options.file.to_owned()
    };
    if u64::try_from(bytes.len()).is_ok_and(|n| n > MAX) {
        bail!(say(
            lang,
            "ファイルが大きすぎます (上限 64 MiB)",
            "the file is too large (limit 64 MiB)"
        ));
    }
    if !options.hex {
        one_message(&name, &bytes, lang)?;
    }
    if options.hex && !options.values {
        bail!(say(
            lang,
            "--hex は値をそのまま表示します。端末の外では --show-values always を付けてください",
            "--hex shows values as they are; away from a terminal add --show-values always"
        ));
    }
    let leaf = name.rsplit('/').next().unwrap_or("");
    let parsed = FileName::parse(leaf).ok();
    let kind = parsed.and_then(|n| n.data_kind().standard());
    let mut out = std::io::stdout().lock();
    let found = match options.path {
        Some(path) => Some(query(&bytes, path, lang)?),
        None => None,
    };
    if let (Some(found), Some(path)) = (&found, options.path)
        && found.is_empty()
    {
        if !is_path(path) {
            bail!(say(
                lang,
                &format!("{path} は項目のパスではありません。例: PID-5[1].1"),
                &format!("{path} is no path of a field; one is PID-5[1].1"),
            ));
        }
        crate::terminal::note(&say(
            lang,
            &format!("{path} はありません"),
            &format!("no {path}"),
        ));
        return Ok(End::Findings);
    }
    if options.hex {
        match &found {
            None => hex(&mut out, &bytes, 0)?,
            Some(found) => {
                for r in found {
                    hex(&mut out, part(&bytes, r), r.start)?;
                }
            }
        }
        return Ok(End::Clean);
    }
    let mut v = view(&bytes, None, kind);
    if !options.values {
        mask::view(&mut v);
    }
    if options.format == "json" {
        match (&found, options.path) {
            (Some(found), Some(path)) => {
                for r in found {
                    let text = value_at(&v.segments, &bytes, r, options.values);
                    writeln!(
                        out,
                        "{}",
                        serde_json::json!({"path": path, "span": [r.start, r.end], "text": text})
                    )?;
                }
            }
            _ => writeln!(out, "{}", serde_json::to_string_pretty(&v)?)?,
        }
        return Ok(End::Clean);
    }
    let kind_text = v
        .kind
        .as_ref()
        .zip(v.kind_name.as_ref())
        .map(|(k, n)| format!("{k} {} · ", say(lang, &n.ja, &n.en)))
        .unwrap_or_default();
    writeln!(
        out,
        "{kind_text}{} · {} · {} · {}",
        visible(&v.message_type),
        v.charset,
        say(
            lang,
            &format!("{} セグメント", v.segments.len()),
            &format!("{} segments", v.segments.len())
        ),
        say(
            lang,
            &format!("{} バイト", v.bytes),
            &format!("{} bytes", v.bytes)
        ),
    )?;
    let mut tree = Tree {
        marks: marks(&name, &bytes, lang),
        found,
        empty: options.empty,
    };
    let bold = |s: &str| {
        if options.colour {
            format!("\x1b[1m{s}\x1b[0m")
        } else {
            s.to_owned()
        }
    };
    for s in &v.segments {
        if !tree.is_wanted(s.span) {
            continue;
        }
        let names = if s.ja.is_empty() {
            s.en.clone()
        } else {
            format!("{} / {}", s.ja, s.en)
        };
        writeln!(
            out,
            "{} {}  {}",
            bold(&format!("{:<9}", visible(&s.name))),
            pad(&names, 40),
            say(lang, &format!("行 {}", s.line), &format!("line {}", s.line))
        )?;
        for f in &s.fields {
            tree.line(&mut out, f, 1)?;
        }
    }
    if let Some([start, end]) = v.rest {
        crate::terminal::note(&say(
            lang,
            &format!(
                "項目が {} 個を超えるため、{start}–{end} バイト目は表示していません。--path と --format json で場所を指定するか --hex で見てください",
                warifu_report::view::MAX_NODES
            ),
            &format!(
                "more than {} values: bytes {start}–{end} are not shown. Name a place with --path --format json, or use --hex",
                warifu_report::view::MAX_NODES
            ),
        ));
    }
    if tree.found.is_none() {
        // What belongs to no value that is shown.
        for f in &tree.marks {
            let [start, end] = f.primary.span;
            writeln!(out, "! {} {} (byte {start}–{end})", f.code, f.message)?;
        }
    }
    Ok(End::Clean)
}

/// Findings of reading the message: charset and HL7, not of the mapping.
fn marks(name: &str, bytes: &[u8], lang: Lang) -> Vec<Finding> {
    let options = JobOptions {
        lang: Some(say(lang, "ja", "en")),
        ..JobOptions::default()
    };
    let Ok(mut job) = Job::new(options) else {
        return Vec::new();
    };
    let mut found = job.convert(name, bytes).diagnostics;
    found.retain(|d| d.code.starts_with("ENC") || d.code.starts_with("HL7"));
    found
}

/// The value at a range: the text of the node there, else of the bytes.
fn value_at(
    segments: &[warifu_report::view::SegmentNode],
    bytes: &[u8],
    r: &Range<u32>,
    values: bool,
) -> String {
    fn find<'n>(nodes: &'n [FieldNode], r: &Range<u32>) -> Option<&'n FieldNode> {
        nodes.iter().find_map(|n| {
            if n.span == [r.start, r.end] {
                Some(n)
            } else if n.span[0] <= r.start && r.end <= n.span[1] {
                find(&n.children, r)
            } else {
                None
            }
        })
    }
    if let Some(node) = segments.iter().find_map(|s| find(&s.fields, r)) {
        return node.text.clone();
    }
    let mut index = Index::new();
    index.build(bytes, None);
    let mut text = String::new();
    warifu_source::decode_into(part(bytes, r), index.charset(), &mut text);
    if values { text } else { mask::shape(&text) }
}

fn part<'b>(bytes: &'b [u8], r: &Range<u32>) -> &'b [u8] {
    let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    bytes.get(at(r.start)..at(r.end)).unwrap_or_default()
}

/// How the tree is printed.
struct Tree {
    /// Findings that have not been shown yet.
    marks: Vec<Finding>,
    /// Only what touches these bytes.
    found: Option<Vec<Range<u32>>>,
    empty: bool,
}

impl Tree {
    fn is_wanted(&self, [start, end]: [u32; 2]) -> bool {
        self.found
            .as_ref()
            .is_none_or(|all| all.iter().any(|r| r.start < end && start < r.end))
    }

    fn line(
        &mut self,
        out: &mut impl std::io::Write,
        f: &FieldNode,
        depth: usize,
    ) -> std::io::Result<()> {
        if !self.is_wanted(f.span) || (f.text.is_empty() && f.children.is_empty() && !self.empty) {
            return Ok(());
        }
        let short = f
            .path
            .find('-')
            .and_then(|p| f.path.get(p + 1..))
            .unwrap_or(&f.path);
        let label = if depth == 1 {
            short.to_owned()
        } else {
            short
                .find(['.', '['])
                .and_then(|p| short.get(p..))
                .unwrap_or(short)
                .to_owned()
        };
        let names = match (f.ja.is_empty(), f.en.is_empty()) {
            (false, false) => format!("{} / {}", f.ja, f.en),
            (false, true) => f.ja.clone(),
            (true, _) => f.en.clone(),
        };
        let indent = "  ".repeat(depth);
        let head = format!(
            "{indent}{label:<8} {}",
            pad(&names, 44_usize.saturating_sub(indent.len()))
        );
        if f.children.is_empty() {
            writeln!(out, "{head}{}{}", visible(&f.text), self.mark(f.span))?;
        } else {
            writeln!(out, "{}", head.trim_end())?;
            for c in &f.children {
                self.line(out, c, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Codes of the findings inside a value, which are then done.
    fn mark(&mut self, [start, end]: [u32; 2]) -> String {
        let mut text = String::new();
        self.marks.retain(|f| {
            let [from, to] = f.primary.span;
            let inside = to > 0 && u64::from(start) <= from && to <= end.into();
            if inside && !text.contains(&f.code) {
                text.push_str(if text.is_empty() { "  ! " } else { " " });
                text.push_str(&f.code);
            }
            !inside
        });
        text
    }
}

/// Control characters made visible: a message must not steer the terminal.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' => '⏎',
            '\u{1b}' => '␛',
            c if c.is_control() => '·',
            c => c,
        })
        .collect()
}

/// Pads to a width in columns, full-width characters counting two.
fn pad(text: &str, width: usize) -> String {
    let have: usize = text.chars().map(columns).sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(have).max(2)))
}

pub(crate) fn columns(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6 => 2,
        _ => 1,
    }
}

fn query(bytes: &[u8], path: &str, lang: Lang) -> anyhow::Result<Vec<Range<u32>>> {
    let mut index = Index::new();
    index.build(bytes, None);
    match TextMessage::new(bytes, &index).query(path) {
        Ok(found) => Ok(found),
        Err(e) => bail!(say(
            lang,
            "--path は PID、PID-5、PID-5[2].1、OBX[3]-5.1 のように書いてください",
            &e.to_string()
        )),
    }
}

fn hex(out: &mut impl std::io::Write, bytes: &[u8], base: u32) -> std::io::Result<()> {
    for (i, row) in bytes.chunks(16).enumerate() {
        let at = u64::from(base) + u64::try_from(i * 16).unwrap_or(0);
        let digits: Vec<String> = row.iter().map(|b| format!("{b:02x}")).collect();
        let text: String = row
            .iter()
            .map(|&b| {
                if b.is_ascii_graphic() || b == b' ' {
                    char::from(b)
                } else {
                    '.'
                }
            })
            .collect();
        writeln!(out, "{at:08x}  {:<47}  {text}", digits.join(" "))?;
    }
    Ok(())
}
