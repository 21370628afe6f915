//! `warifu show`: one message as a readable tree.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, bail};
use warifu_hl7::Index;
use warifu_hl7::text::TextMessage;
use warifu_report::Lang;
use warifu_report::view::{FieldNode, view};
use warifu_ssmix2::FileName;

use crate::{End, mistakes, say};

/// Options of `show`.
pub(crate) struct Show<'s> {
    pub(crate) file: &'s str,
    pub(crate) path: Option<&'s str>,
    pub(crate) hex: bool,
    pub(crate) empty: bool,
    pub(crate) format: &'s str,
    pub(crate) stdin_name: Option<&'s str>,
    pub(crate) colour: bool,
}

/// Longest file `show` takes.
const MAX: u64 = 64 << 20;

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
    let leaf = name.rsplit('/').next().unwrap_or("");
    let parsed = FileName::parse(leaf).ok();
    let kind = parsed.and_then(|n| n.data_kind().standard());
    let mut out = std::io::stdout().lock();
    if let Some(path) = options.path {
        return query(&mut out, &bytes, path, options, lang);
    }
    let v = view(&bytes, None, kind);
    if options.format == "json" {
        writeln!(out, "{}", serde_json::to_string_pretty(&v)?)?;
        return Ok(End::Clean);
    }
    if options.hex {
        hex(&mut out, &bytes, 0)?;
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
        v.message_type,
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
    let mut index = Index::new();
    index.build(&bytes, None);
    for n in index.notes() {
        writeln!(out, "! {:?} (byte {}–{})", n.kind, n.start, n.end)?;
    }
    let bold = |s: &str| {
        if options.colour {
            format!("\x1b[1m{s}\x1b[0m")
        } else {
            s.to_owned()
        }
    };
    for s in &v.segments {
        let names = if s.ja.is_empty() {
            s.en.clone()
        } else {
            format!("{} / {}", s.ja, s.en)
        };
        writeln!(
            out,
            "{} {}  {}",
            bold(&format!("{:<9}", s.name)),
            pad(&names, 40),
            say(lang, &format!("行 {}", s.line), &format!("line {}", s.line))
        )?;
        for f in &s.fields {
            line(&mut out, f, 1, options.empty)?;
        }
    }
    Ok(End::Clean)
}

fn line(
    out: &mut impl std::io::Write,
    f: &FieldNode,
    depth: usize,
    empty: bool,
) -> std::io::Result<()> {
    if f.text.is_empty() && f.children.is_empty() && !empty {
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
        writeln!(out, "{head}{}", visible(&f.text))?;
    } else {
        writeln!(out, "{}", head.trim_end())?;
        for c in &f.children {
            line(out, c, depth + 1, empty)?;
        }
    }
    Ok(())
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

fn columns(c: char) -> usize {
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

fn query(
    out: &mut impl std::io::Write,
    bytes: &[u8],
    path: &str,
    options: &Show<'_>,
    lang: Lang,
) -> anyhow::Result<End> {
    let mut index = Index::new();
    index.build(bytes, None);
    let text = TextMessage::new(bytes, &index);
    let found = match text.query(path) {
        Ok(f) => f,
        Err(e) => bail!(say(
            lang,
            "--path は PID-5、PID-5[2].1、OBX[3]-5.1 のように書いてください",
            &e.to_string()
        )),
    };
    if found.is_empty() {
        crate::terminal::note(&say(
            lang,
            &format!("{path} はありません"),
            &format!("no {path}"),
        ));
        return Ok(End::Findings);
    }
    for r in found {
        let part = bytes
            .get(usize::try_from(r.start)?..usize::try_from(r.end)?)
            .unwrap_or_default();
        if options.hex {
            hex(out, part, r.start)?;
            continue;
        }
        let mut s = String::new();
        warifu_source::decode_into(part, index.charset(), &mut s);
        if options.format == "json" {
            writeln!(
                out,
                "{}",
                serde_json::json!({"path": path, "span": [r.start, r.end], "text": s})
            )?;
        } else {
            writeln!(out, "{}", visible(&s))?;
        }
    }
    Ok(End::Clean)
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
