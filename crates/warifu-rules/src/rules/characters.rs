//! What the characters and terminators of a file can be mended by, and HL7 escapes.

use warifu_diag::catalogue::enc::{ENC107, ENC116, ENC117};
use warifu_diag::catalogue::hl7::{HL7104, HL7105, HL7106, HL7109};
use warifu_diag::{Applicability, Diagnostic, Fix, Span};
use warifu_hl7::{Message, Part, findings};
use warifu_source::{Charset, Encoder, decode_into};

use crate::cx::Cx;
use crate::rule::{Check, message};

pub(crate) const CHECKS: &[Check] = &[message(declared)];

/// Adds the fix that a finding of the reader can have.
pub(crate) fn mend(d: &mut Diagnostic, bytes: &[u8], message: Message<'_>) {
    let fix = if d.code == &HL7104 {
        terminators(d.span, bytes)
    } else if d.code == &HL7105 || d.code == &ENC117 {
        Some((
            "余分なバイトを取り除く",
            "remove the extra bytes",
            vec![(d.span, Vec::new())],
        ))
    } else if d.code == &HL7106 {
        Some((
            "最後に CR を足す",
            "add the last CR",
            vec![(d.span, b"\r".to_vec())],
        ))
    } else if d.code == &ENC107 {
        wide_kana(d.span, bytes, message.charset())
    } else {
        None
    };
    if let Some((title_ja, title_en, edits)) = fix {
        let extra = d.extra.get_or_insert_default();
        extra.fix.get_or_insert(Fix {
            applicability: Applicability::Safe,
            title_ja,
            title_en,
            edits,
        });
    }
}

type Mended = (&'static str, &'static str, Vec<(Span, Vec<u8>)>);

/// LF and CR LF → CR. No charset here has a line feed as half of a character.
fn terminators(span: Span, bytes: &[u8]) -> Option<Mended> {
    let mut edits = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        let after_cr = at > 0 && bytes.get(at - 1) == Some(&b'\r');
        let start = u32::try_from(at).ok()?;
        let line_feed = Span {
            start,
            end: start + 1,
            ..span
        };
        edits.push((
            line_feed,
            if after_cr { Vec::new() } else { b"\r".to_vec() },
        ));
    }
    Some((
        "セグメントの終わりを CR にする",
        "end segments with CR",
        edits,
    ))
}

/// Half-width katakana → full width, in the file's own charset.
fn wide_kana(span: Span, bytes: &[u8], charset: Charset) -> Option<Mended> {
    let (mut start, mut end) = (
        usize::try_from(span.start).ok()?,
        usize::try_from(span.end).ok()?,
    );
    let kana = bytes.get(start..end)?;
    let mut text = String::new();
    if charset == Charset::Iso2022Jp {
        // The run stands in its own katakana state, which goes with it.
        let (on, off): (&[u8], &[u8]) = (b"\x1b(I", b"\x1b(B");
        let opens = start >= on.len() && bytes.get(start - on.len()..start) == Some(on);
        if !opens || bytes.get(end..end + off.len()) != Some(off) {
            return None;
        }
        decode_into(&[on, kana, off].concat(), charset, &mut text);
        start -= on.len();
        end += off.len();
    } else {
        decode_into(kana, charset, &mut text);
    }
    let mut wide = Vec::new();
    let lost = Encoder::standard().encode(&widened(&text), charset, &mut wide);
    if !lost.is_empty() {
        return None;
    }
    let span = Span {
        start: u32::try_from(start).ok()?,
        end: u32::try_from(end).ok()?,
        ..span
    };
    Some((
        "半角カナを全角にする",
        "make half-width katakana full width",
        vec![(span, wide)],
    ))
}

/// Full-width form of half-width katakana, voicing marks joined.
fn widened(text: &str) -> String {
    const WIDE: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    let mut out = String::new();
    for c in text.chars() {
        let place = u32::from(c).checked_sub(0xFF61);
        let wide = place
            .and_then(|p| usize::try_from(p).ok())
            .and_then(|p| WIDE.chars().nth(p));
        let joined = out.chars().last().and_then(|before| match c {
            'ﾞ' => voiced(before),
            'ﾟ' => half_voiced(before),
            _ => None,
        });
        if let Some(joined) = joined {
            out.pop();
            out.push(joined);
        } else {
            out.push(wide.unwrap_or(c));
        }
    }
    out
}

fn voiced(c: char) -> Option<char> {
    if c == 'ウ' {
        return Some('ヴ');
    }
    "カキクケコサシスセソタチツテトハヒフヘホ"
        .contains(c)
        .then(|| char::from_u32(u32::from(c) + 1))
        .flatten()
}

fn half_voiced(c: char) -> Option<char> {
    "ハヒフヘホ"
        .contains(c)
        .then(|| char::from_u32(u32::from(c) + 2))
        .flatten()
}

/// `ENC116`: MSH-18 against the bytes (plain ASCII agrees with every declaration).
fn declared(cx: &mut Cx<'_, '_>) {
    let Some((field, found)) = findings::misdeclared(cx.message) else {
        return;
    };
    let name = findings::charset_name(found);
    if found == Charset::Utf8 {
        let titles = (
            "MSH-18 に実際の文字コードを書く",
            "declare what the bytes are",
        );
        let utf8 = b"UNICODE UTF-8".to_vec();
        cx.report_fix(&ENC116, field, Some(name.into()), titles, utf8);
    } else {
        cx.report_with(&ENC116, field, name);
    }
}

/// `HL7109`: escapes of a field that nobody knows.
pub(crate) fn escapes(cx: &mut Cx<'_, '_>, field: Part<'_>) {
    for span in field.unknown_escapes() {
        cx.report_bytes(&HL7109, span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voicing_marks_join_the_kana_before() {
        assert_eq!(widened("ﾊﾞﾋﾟｳﾞｱﾞｰ｡"), "バピヴア゛ー。");
        assert_eq!(widened("ｶﾀｶﾅ"), "カタカナ");
    }
}
