//! What the characters and terminators of a file can be mended by, and HL7 escapes.

use warifu_diag::catalogue::enc::{ENC103, ENC107, ENC115, ENC116, ENC117, ENC120, ENC121};
use warifu_diag::catalogue::hl7::{HL7104, HL7105, HL7106, HL7109, HL7130};
use warifu_diag::{Applicability, Diagnostic, FieldPath, Fix, Span};
use warifu_hl7::{Message, Part, Segment, findings};
use warifu_source::{Charset, Encoder, decode_into};
use warifu_terms::fields;

use crate::cx::Cx;
use crate::rule::{Check, message};

pub(crate) const CHECKS: &[Check] = &[
    message(declared),
    message(lost_escapes),
    message(lost_returns),
];

/// `ENC120`: Japanese text whose escape bytes were lost on the way, in place of `ENC103` for the escape that
/// is left of it.
fn lost_escapes(cx: &mut Cx<'_, '_>) {
    if cx.message.charset() != Charset::Iso2022Jp {
        return;
    }
    let message = cx.message;
    let mut runs = Vec::new();
    for segment in message.segments() {
        let (start, end) = segment.span();
        let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let line = message.bytes().get(at(start)..at(end)).unwrap_or_default();
        let place = |n: usize| start.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        let own = bare_runs(line).into_iter();
        runs.extend(own.map(|(from, to)| (place(from), place(to))));
    }
    cx.take_back(|d| {
        let at = runs.partition_point(|(_, to)| *to < d.span.start);
        let inside = runs.get(at).is_some_and(|(from, _)| d.span.start >= *from);
        inside && d.code == &ENC103
    });
    for run in runs {
        cx.report_bytes(&ENC120, run);
    }
}

/// `ENC121`: a delimiter in double-byte state, in place of what is told of it and of the escape behind it
/// (`ENC115`, `ENC103`). A delimiter may be the first half of a kanji, too: it counts where the state ends in
/// half a character, or is begun once more, and nothing but codes stands between.
fn lost_returns(cx: &mut Cx<'_, '_>) {
    let odd = |d: &Diagnostic| d.code == &ENC103 || d.code == &ENC115;
    if cx.message.charset() != Charset::Iso2022Jp || !cx.own().iter().any(odd) {
        return;
    }
    let mut runs = Vec::new();
    for segment in cx.message.segments() {
        let (start, end) = segment.span();
        let at = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let line = cx.message.bytes().get(at(start)..at(end));
        let place = |n: usize| start.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        let own = unreturned(line.unwrap_or_default()).into_iter();
        runs.extend(own.map(|(from, to)| (place(from), place(to))));
    }
    cx.take_back(|d| {
        let at = runs.partition_point(|(_, to)| *to < d.span.start);
        let told = runs
            .get(at)
            .is_some_and(|(from, to)| d.span.start == *from || d.span.start == *to);
        told && odd(d)
    });
    for (from, _) in runs {
        cx.report_bytes(&ENC121, (from, from.saturating_add(1)));
    }
}

/// Delimiters in double-byte state, each with the escape that ends it.
fn unreturned(line: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = line.get(at..).and_then(|rest| find_escape(rest, KANJI)) {
        let from = at + begin + KANJI.len();
        let rest = line.get(from..).unwrap_or_default();
        let Some(length) = rest.iter().position(|b| *b == 0x1B) else {
            break;
        };
        let (run, behind) = rest.split_at(length);
        let half = run.len() % 2 == 1;
        let delimiter = |pair: &&[u8]| pair.first().is_some_and(|b| b"|^~".contains(b));
        let anew = behind.starts_with(KANJI);
        if (half || anew)
            && let Some(pairs) = run.chunks(2).position(|pair| delimiter(&pair))
            && let Some(rest) = run.get(2 * pairs..)
            && rest.iter().copied().all(is_of_code)
            // Alone before the end it is the half that is left of a kanji.
            && (anew || rest.len() > 1)
        {
            found.push((from + 2 * pairs, from + length));
        }
        at = from + length;
    }
    found
}

/// Whether a byte is one of codes and what stands between them.
fn is_of_code(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"|^~&.-".contains(&byte)
}

/// The next of an escape sequence.
fn find_escape(text: &[u8], sequence: &[u8]) -> Option<usize> {
    text.windows(sequence.len()).position(|w| w == sequence)
}

/// Runs of double-byte codes in ASCII: `$B…(B` without an escape byte, or what stands before a return to
/// ASCII that nothing went before.
fn bare_runs(line: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut at, mut wide) = (0, false);
    while at < line.len() {
        let rest = line.get(at..).unwrap_or_default();
        let next = rest
            .iter()
            .position(|b| *b == 0x1B)
            .map_or(line.len(), |n| at + n);
        let returns = line.get(next..).is_some_and(|r| r.starts_with(ASCII));
        if !wide {
            let mut done = at;
            // Where characters end that no return follows: those that begin among them end there, too.
            let mut open = [0; 2];
            while let Some(mark) = find_mark(line, done, next) {
                if open.get(mark % 2).is_some_and(|end| mark < *end) {
                    done = mark + 2;
                    continue;
                }
                let (end, text) = pairs_from(line, mark + 2, next);
                let closed = line.get(end..).is_some_and(|r| r.starts_with(b"(B"));
                if text && (closed || end == next && returns) {
                    done = if closed { end + 2 } else { end };
                    found.push((mark, done));
                } else {
                    done = mark + 2;
                    if let Some(last) = open.get_mut(mark % 2) {
                        *last = end;
                    }
                }
            }
            if returns && done < next {
                let begin = pairs_before(line, done, next);
                if begin < next {
                    found.push((begin, next));
                }
            }
        }
        wide = line.get(next + 1) == Some(&b'$');
        at = next + 3;
    }
    found
}

/// The next `$B` between two places.
fn find_mark(line: &[u8], from: usize, to: usize) -> Option<usize> {
    let text = line.get(from..to)?;
    text.windows(2).position(|w| w == b"$B").map(|n| from + n)
}

/// Whether two bytes are a character of JIS X 0208, and one of kana or kanji.
fn is_pair(pair: &[u8]) -> Option<bool> {
    let [lead, trail] = *pair else { return None };
    let valid = matches!(lead, 0x21..=0x28 | 0x30..=0x74) && (0x21..=0x7E).contains(&trail);
    valid.then_some(matches!(lead, 0x24 | 0x25 | 0x30..))
}

/// Where characters that begin here end: at `(B`, or at `to`; and whether kana or kanji are among them.
fn pairs_from(line: &[u8], from: usize, to: usize) -> (usize, bool) {
    let (mut at, mut text) = (from, false);
    while at < to {
        let pair = line.get(at..to.min(at + 2)).unwrap_or_default();
        if pair == b"(B" {
            break;
        }
        let Some(letter) = is_pair(pair) else { break };
        text |= letter;
        at += 2;
    }
    (at, text)
}

/// Where characters that end here begin, two of them or more, behind the nearest delimiter or at `from`; the
/// end itself when there is no kana or kanji. Halves of characters may be delimiters, too: the run may have
/// begun before.
fn pairs_before(line: &[u8], from: usize, to: usize) -> usize {
    let (mut at, mut text) = (to, false);
    while at >= from + 2 {
        let Some(letter) = line.get(at - 2..at).and_then(is_pair) else {
            break;
        };
        text |= letter;
        at -= 2;
        let before = at.checked_sub(1).and_then(|n| line.get(n));
        let delimited = at == from || before.is_some_and(|b| b"|^~&".contains(b));
        if delimited && text && to - at >= 4 {
            return at;
        }
    }
    to
}

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
    } else if d.code == &ENC107
        && d.path
            .is_some_and(|path| is_text(&path, d.span.start, message))
    {
        wide_kana(d.span, bytes, message.charset())
    } else {
        None
    };
    if let Some((title_ja, title_en, edits)) = fix {
        let extra = d.extra.get_or_insert_default();
        extra.fix.get_or_insert(Fix {
            applicability: d.code.fixable.unwrap_or(Applicability::Unsafe),
            title_ja,
            title_en,
            edits,
        });
    }
}

/// Whether a place holds text that people read, as its data type and the name of its part say. Codes and
/// identifiers are keys of somebody's table, which other letters miss; so may be what SS-MIX2 does not define.
fn is_text(path: &FieldPath, at: u32, message: Message<'_>) -> bool {
    let n = |n: u32| usize::try_from(n).unwrap_or(0).max(1);
    let Some(info) = fields::field(path.segment_name(), n(path.field)) else {
        return false;
    };
    let mut datatype = info.datatype;
    if datatype == "*" {
        let own = message.segment_at(at);
        datatype = own.map_or("", |s| s.field(2).value().trimmed().text);
    }
    let mut name = if info.usage.is_empty() { "" } else { info.en };
    for part in [path.component, path.subcomponent] {
        let Some(inner) = fields::component(datatype, n(part)) else {
            break;
        };
        (datatype, name) = (inner.datatype, if name.is_empty() { "" } else { inner.en });
    }
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    matches!(datatype, "ST" | "TX" | "FT")
        && !name.is_empty()
        && !words().any(|w| KEYS.contains(&w))
}

/// Words in the names of parts that are keys.
const KEYS: &[&str] = &[
    "Code",
    "Digit",
    "ID",
    "Identifier",
    "Number",
    "Pointer",
    "Version",
    "Zip",
];

type Mended = (&'static str, &'static str, Vec<(Span, Vec<u8>)>);

/// LF and CR LF → CR. No charset here has a line feed as half of a character.
///
/// A line feed that may be text stays: one before what is no segment, and one without CR in a file that
/// ends segments with CR or CR LF.
fn terminators(span: Span, bytes: &[u8]) -> Option<Mended> {
    let has_cr = bytes.contains(&b'\r');
    let mut edits = Vec::new();
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        let after_cr = at > 0 && bytes.get(at - 1) == Some(&b'\r');
        let segment_follows = bytes.get(at + 1..).is_none_or(begins_segment);
        if !segment_follows || has_cr && !after_cr {
            continue;
        }
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
    (!edits.is_empty()).then_some((
        "セグメントの終わりを CR にする",
        "end segments with CR",
        edits,
    ))
}

/// Whether bytes after a terminator are the next segment or the end of the message, blank lines aside.
fn begins_segment(rest: &[u8]) -> bool {
    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    match rest.get(blank.count()..).unwrap_or_default() {
        [] | [0x1C, ..] => true,
        [a, b, c, delimiter, ..] => {
            a.is_ascii_uppercase()
                && [b, c]
                    .iter()
                    .all(|n| n.is_ascii_uppercase() || n.is_ascii_digit())
                && (delimiter.is_ascii_punctuation() || matches!(delimiter, b'\r' | b'\n'))
        }
        _ => false,
    }
}

/// Half-width katakana → full width, in the file's own charset.
fn wide_kana(span: Span, bytes: &[u8], charset: Charset) -> Option<Mended> {
    let (mut start, mut end) = (
        usize::try_from(span.start).ok()?,
        usize::try_from(span.end).ok()?,
    );
    let kana = bytes.get(start..end)?;
    let (mut text, mut wide) = (String::new(), Vec::new());
    if charset == Charset::Iso2022Jp {
        decode_into(&[KANA, kana, ASCII].concat(), charset, &mut text);
    } else {
        decode_into(kana, charset, &mut text);
    }
    let lost = Encoder::standard().encode(&widened(&text), charset, &mut wide);
    if !lost.is_empty() || text.starts_with(['ﾞ', 'ﾟ']) {
        return None;
    }
    if charset == Charset::Iso2022Jp {
        // The run stands in its own katakana state, which goes with it.
        let before = bytes.get(..start)?.strip_suffix(KANA)?;
        let after = bytes.get(end..)?;
        let rest = after.strip_prefix(ASCII).unwrap_or(after);
        // A mark shifted by itself belongs to this run; which is more than this fix may say.
        let mark = rest.strip_prefix(KANA).and_then(<[u8]>::first);
        if matches!(mark, Some(0x5E | 0x5F)) {
            return None;
        }
        start = before.len();
        let line = last_line(before);
        let shift = line.iter().rposition(|b| *b == 0x1B);
        if shift
            .and_then(|at| line.get(at..))
            .is_some_and(|l| l.starts_with(KANJI))
        {
            wide.drain(..KANJI.len());
        }
        if after.starts_with(KANJI) {
            wide.truncate(wide.len().saturating_sub(ASCII.len()));
            end += KANJI.len();
        } else if after.starts_with(ASCII) {
            end += ASCII.len();
        } else {
            return None;
        }
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

/// Designations of ISO-2022-JP: JIS X 0201 katakana, ASCII, JIS X 0208-1983.
const KANA: &[u8] = b"\x1b(I";
const ASCII: &[u8] = b"\x1b(B";
const KANJI: &[u8] = b"\x1b$B";

/// What stands after the last terminator: shifts do not go beyond a line.
fn last_line(bytes: &[u8]) -> &[u8] {
    bytes
        .rsplit(|b| matches!(b, b'\r' | b'\n'))
        .next()
        .unwrap_or_default()
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
    let right: &[u8] = match found {
        Charset::Utf8 => b"UNICODE UTF-8",
        Charset::Iso2022Jp => findings::charset_as_written(cx.message, field),
        Charset::Cp932 | Charset::EucJp => return cx.report_with(&ENC116, field, name),
    };
    let titles = (
        "MSH-18 に実際の文字コードを書く",
        "declare what the bytes are",
    );
    let mut edits = vec![(field, right.to_vec())];
    // The scheme of ISO 2022 belongs to ISO-2022-JP.
    let scheme = cx.message.first(b"MSH").map(|msh| msh.field(20));
    if let Some(scheme) = scheme.filter(|s| found == Charset::Utf8 && s.is_some()) {
        edits.push((scheme, Vec::new()));
    }
    cx.report_fixes(&ENC116, field, Some(name.into()), titles, edits);
}

/// `HL7109`: escapes of a field that nobody knows; `HL7130`: blanks at its end. In no charset here is a blank
/// half of a character.
pub(crate) fn ends_and_escapes(cx: &mut Cx<'_, '_>, field: Part<'_>) {
    for span in field.unknown_escapes() {
        cx.report_bytes(&HL7109, span);
    }
    for part in field.reps() {
        let (start, end) = part.span();
        let blanks = part.raw().iter().rev().take_while(|b| **b == b' ').count();
        let from = end.saturating_sub(u32::try_from(blanks).unwrap_or(0));
        blanks_at(cx, start, (from, end));
    }
}

/// `HL7130`: blanks between the last field of a segment and its terminator, which are no part of the field.
pub(crate) fn segment_end(cx: &mut Cx<'_, '_>, segment: Segment<'_>) {
    let (start, from) = segment.span();
    let at = usize::try_from(from).unwrap_or(usize::MAX);
    let behind = cx.message.bytes().get(at..).unwrap_or_default();
    let blanks = behind.iter().take_while(|b| **b == b' ').count();
    let end = from.saturating_add(u32::try_from(blanks).unwrap_or(0));
    blanks_at(cx, start, (from, end));
}

fn blanks_at(cx: &mut Cx<'_, '_>, start: u32, (from, end): (u32, u32)) {
    if from < end {
        let titles = ("末尾の空白を取る", "remove the blanks at the end");
        let path = cx.message.locate(start.max(from.saturating_sub(1)));
        cx.report_bytes_fix(&HL7130, (from, end), path, titles, Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_stand_where_the_return_is_missing() {
        for (line, found) in [
            (&b"A|\x1b$BAmCAGr^JC10\x1b(B|B"[..], vec![(11, 16)]),
            (b"A|\x1b$B;n83^\x1b$BB@O:\x1b(B", vec![(9, 10)]),
            (
                b"A|\x1b$B3d^\x1b$BId\x1b(B^\x1b$B2V;R|\x1b$B<\x1b(B",
                vec![(7, 8), (24, 25)],
            ),
            // Whole, a kanji that is cut, one that begins with a delimiter, and text behind one.
            (b"A|\x1b$B;n83\x1b(B^\x1b$BB@O:\x1b(B", vec![]),
            (b"A|\x1b$B;n8^\x1b(B", vec![]),
            (b"A|\x1b$B;n^!83\x1b(B", vec![]),
            (b"A|\x1b$B;n^!8\x1b(B", vec![]),
            (b"A|\x1b$B;n", vec![]),
        ] {
            assert_eq!(unreturned(line), found, "{}", String::from_utf8_lossy(line));
        }
    }

    fn mended(bytes: &[u8], run: (u32, u32)) -> Option<Vec<u8>> {
        let span = Span {
            source: warifu_diag::SourceId(0),
            start: run.0,
            end: run.1,
        };
        let (_, _, edits) = wide_kana(span, bytes, Charset::Iso2022Jp)?;
        let [(at, new)] = edits.as_slice() else {
            return None;
        };
        let (start, end) = (
            usize::try_from(at.start).ok()?,
            usize::try_from(at.end).ok()?,
        );
        Some([bytes.get(..start)?, new, bytes.get(end..)?].concat())
    }

    #[test]
    fn kana_beside_kanji_goes_over_without_needless_escapes() {
        let all = |bytes: &[u8]| {
            let mut text = String::new();
            decode_into(bytes, Charset::Iso2022Jp, &mut text);
            text
        };
        for (bytes, run, text) in [
            (&b"a\x1b(I6\x1b(Bb"[..], (4, 5), "aカb"),
            (&b"\x1b$B4A\x1b(I6\x1b(Bb"[..], (8, 9), "漢カb"),
            (&b"\x1b(I6\x1b$B4A\x1b(B"[..], (3, 4), "カ漢"),
            (&b"\x1b$B4A\x1b(I6\x1b$B4A\x1b(B"[..], (8, 9), "漢カ漢"),
        ] {
            let new = mended(bytes, run).unwrap_or_default();
            assert_eq!(all(&new), text);
            let mut shortest = Vec::new();
            Encoder::standard().encode(text, Charset::Iso2022Jp, &mut shortest);
            assert_eq!(new, shortest, "{text}");
        }
        // A mark in a run of its own, and the run before it, are left to somebody who looks.
        let split = b"\x1b(I6\x1b(B\x1b(I^\x1b(B";
        assert_eq!(mended(split, (3, 4)), None);
        assert_eq!(mended(split, (10, 11)), None);
    }

    #[test]
    fn a_line_feed_that_may_be_text_stays() {
        let ended = |bytes: &[u8]| {
            let span = Span {
                source: warifu_diag::SourceId(0),
                start: 0,
                end: 0,
            };
            let Some((_, _, edits)) = terminators(span, bytes) else {
                return bytes.to_vec();
            };
            let mut out = bytes.to_vec();
            for (at, new) in edits.iter().rev() {
                let start = usize::try_from(at.start).unwrap_or(0);
                out.splice(start..=start, new.iter().copied());
            }
            out
        };
        assert_eq!(ended(b"MSH|^~\\&\nPID|1\n"), b"MSH|^~\\&\rPID|1\r");
        assert_eq!(ended(b"MSH|^~\\&\r\nPID|1\r\n"), b"MSH|^~\\&\rPID|1\r");
        for stays in [
            &b"MSH|^~\\&\rNTE|1||see\nOBX|99|ST\r"[..],
            b"MSH|^~\\&\rNTE|1||abc\ndef\r",
            b"MSH|^~\\&\rNTE|1||abc\n\ndef\r",
        ] {
            assert_eq!(ended(stays), stays);
        }
        assert_eq!(
            ended(b"MSH|x\nNTE|1||abc\ndef\nOBX|1\n"),
            b"MSH|x\rNTE|1||abc\ndef\rOBX|1\r"
        );
        assert_eq!(
            ended(b"MSH|x\r\nNTE|1||abc\ndef\r\n"),
            b"MSH|x\rNTE|1||abc\ndef\r"
        );
        assert_eq!(
            ended(b"MSH|x\r\nNTE|1||see\nOBX|99|ST\r\n"),
            b"MSH|x\rNTE|1||see\nOBX|99|ST\r"
        );
    }

    #[test]
    fn voicing_marks_join_the_kana_before() {
        assert_eq!(widened("ﾊﾞﾋﾟｳﾞｱﾞｰ｡"), "バピヴア゛ー。");
        assert_eq!(widened("ｶﾀｶﾅ"), "カタカナ");
    }
}
