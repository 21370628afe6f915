//! `SSM17x`: documents of the extended storage: whether they are there, whole, and of the folder's patient.

use std::collections::BTreeMap;

use warifu_diag::Example::Files;
use warifu_diag::catalogue::hl7::HL7101;
use warifu_diag::catalogue::ssm::SSM103;
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_ssmix2::{components, same_patient};

use crate::checker::File;
use crate::patient::PatientCx;
use crate::rule::{Check, patient};

pub(crate) const CHECKS: &[Check] = &[patient(main_documents)];

warifu_diag::codes! {
    SSM171 = "SSM171" "main-document-missing" Warning { "コンテンツフォルダーに主文書 (main_document) がありません", "the content folder has no main document (main_document)", "主文書を main_document.xml か main_document.hl7 という名前で置いてください", "put the main document there as main_document.xml or main_document.hl7", "SS-MIX2 拡張ストレージ構成の説明と構築ガイドライン";
        "受け手は main_document という名前のファイルから文書を読みます。なければ、どれが本文か分かりません。", "Receivers read a document from the file of that name; without it they cannot tell which file it is.";
        Files(&[("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/document.xml", "")]) => Files(&[("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/main_document.xml", "")]) }
    SSM172 = "SSM172" "document-damaged" Error { "文書が XML ではないか、途中で終わっています", "the document is no XML, or it ends in the middle", "送り手でもう一度出力してください", "write the document again at the sender", "XML 1.0 §2.1 (document); SS-MIX2 拡張ストレージ構成の説明と構築ガイドライン";
        "受け手はこの文書を開けません。書き込みの途中で止まった印です。", "Receivers cannot open the document; the write stopped before its end.";
        Files(&[("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/main_document.xml", "<?xml version=\"1.0\"?>\n<ClinicalDocument>\n<title>紹介状")]) => Files(&[("000/000/0000000001/20260401/A^B^99Z/0000000001_20260401_A^B^99Z_1_20260401093000123_01_1/main_document.xml", "<?xml version=\"1.0\"?>\n<ClinicalDocument>\n<title>紹介状</title>\n</ClinicalDocument>")]) }
}

/// Whether a file of a content folder is its main document.
pub(crate) fn is_main(leaf: &str) -> bool {
    let stem = leaf.split('.').next().unwrap_or(leaf);
    stem.eq_ignore_ascii_case("main_document")
}

/// `SSM171`: each content folder has a main document.
fn main_documents(cx: &mut PatientCx<'_, '_>) {
    let mut folders: BTreeMap<&[&str], (usize, bool)> = BTreeMap::new();
    for (i, content) in cx.contents.iter().enumerate() {
        if let Some((folder, is_main)) = content {
            folders.entry(folder).or_insert((i, false)).1 |= is_main;
        }
    }
    let missing: Vec<usize> = folders
        .into_values()
        .filter_map(|(first, has_main)| (!has_main).then_some(first))
        .collect();
    for first in missing {
        cx.report_file(&SSM171, first, None);
    }
}

/// `HL7101`, `SSM172`, `SSM103`: one document.
pub(crate) fn check(file: File<'_>, patient: &str, source: SourceId, out: &mut Vec<Diagnostic>) {
    let mut report = |code: Code, (start, end): (usize, usize)| {
        let place = |n| u32::try_from(n).unwrap_or(u32::MAX);
        let span = Span {
            source,
            start: place(start),
            end: place(end),
        };
        out.push(Diagnostic::new(code, span));
    };
    if file.bytes.is_empty() {
        report(&HL7101, (0, 0));
        return;
    }
    let leaf = components(file.path).last().unwrap_or_default();
    if !leaf.to_ascii_lowercase().ends_with(".xml") {
        return;
    }
    // UTF-16 has a mark; what it holds is not read.
    if file.bytes.starts_with(b"\xFE\xFF") || file.bytes.starts_with(b"\xFF\xFE") {
        return;
    }
    if !is_whole(file.bytes) {
        report(&SSM172, (0, 0));
        return;
    }
    let ids = patient_ids(file.bytes);
    let of_folder = |(start, end): &(usize, usize)| {
        let id = file.bytes.get(*start..*end).unwrap_or_default();
        std::str::from_utf8(id).is_ok_and(|id| same_patient(id, patient))
    };
    if let Some(first) = ids.first()
        && !patient.is_empty()
        && !ids.iter().any(of_folder)
    {
        report(&SSM103, *first);
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|w| w == what)
}

fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|w| w == what)
}

/// What stands before the root element is passed over: declaration, comments, document type.
fn without_prolog(bytes: &[u8]) -> Option<&[u8]> {
    let mut text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    loop {
        text = text.trim_ascii_start();
        let end: &[u8] = if text.starts_with(b"<?") {
            b"?>"
        } else if text.starts_with(b"<!--") {
            b"-->"
        } else if text.starts_with(b"<!") {
            let simple = find(text, b">")?;
            let subset = text.get(..simple)?.contains(&b'[');
            if subset { b"]>" } else { b">" }
        } else {
            return Some(text);
        };
        text = text.get(find(text, end)? + end.len()..)?;
    }
}

/// What stands behind the root element is passed over: comments and instructions.
fn without_epilog(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = text.trim_ascii_end();
        let begin: &[u8] = if text.ends_with(b"-->") {
            b"<!--"
        } else if text.ends_with(b"?>") {
            b"<?"
        } else {
            return Some(text);
        };
        text = text.get(..rfind(text, begin)?)?;
    }
}

/// Whether a document begins with an element and ends with the end of this element.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(text) = without_prolog(bytes).and_then(without_epilog) else {
        return false;
    };
    let Some(inner) = text.strip_prefix(b"<") else {
        return false;
    };
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
    let length = inner.iter().position(ends).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(length);
    if name.is_empty() || name.contains(&b'<') {
        return false;
    }
    // An element without content.
    if rest.ends_with(b"/>") && !rest.contains(&b'<') {
        return true;
    }
    text.strip_suffix(b">")
        .map(<[u8]>::trim_ascii_end)
        .and_then(|t| t.strip_suffix(name))
        .is_some_and(|t| t.ends_with(b"</"))
}

/// Places of the numbers of the patient in a CDA: `recordTarget/patientRole/id/@extension`.
fn patient_ids(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut ids = Vec::new();
    let Some(from) = find(bytes, b"patientRole") else {
        return ids;
    };
    let role = bytes.get(from..).unwrap_or_default();
    let end = [&b"/recordTarget"[..], b"providerOrganization"]
        .iter()
        .filter_map(|end| find(role, end))
        .min();
    let role = role.get(..end.unwrap_or(role.len())).unwrap_or_default();
    let mut at = 0;
    while let Some(tag) = role
        .get(at..)
        .and_then(|rest| find(rest, b"id ").map(|n| at + n))
    {
        at = tag + 3;
        let opened = matches!(
            tag.checked_sub(1).and_then(|n| role.get(n)),
            Some(b'<' | b':')
        );
        let rest = role.get(at..).unwrap_or_default();
        let own = rest
            .get(..find(rest, b">").unwrap_or(rest.len()))
            .unwrap_or_default();
        if let Some(value) = find(own, b"extension=").filter(|_| opened)
            && let Some((quote, text)) = own
                .get(value + b"extension=".len()..)
                .and_then(<[u8]>::split_first)
            && let Some(length) = text.iter().position(|b| b == quote)
        {
            let start = from + at + value + b"extension=".len() + 1;
            ids.push((start, start + length));
        }
        at += own.len();
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_documents_end_with_their_root() {
        for text in [
            "<x/>",
            "<a><b/></a>",
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- <b> -->\n<c:a x=\"1\">t</c:a >\n<!-- end -->\n",
            "<!DOCTYPE a [<!ENTITY e \"x\">]>\n<a>&e;</a>",
        ] {
            assert!(is_whole(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            " ",
            "hello",
            "<a>",
            "<a><b></a",
            "<a></b>",
            "<?xml version=\"1.0\"?>",
            "<a <b/>",
            "<!-- <a></a>",
            "<a></a>-->",
            "</a>",
            "<a></aa>",
        ] {
            assert!(!is_whole(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn ids_are_those_of_the_patient() {
        let text = "<recordTarget><patientRole><id root='1.2' extension='0000000001'/>\
            <c:id extension=\"X1\" root=\"1\"/><addr/><patient><name/></patient><providerOrganization>\
            <id extension=\"H\"/></providerOrganization></patientRole></recordTarget><id extension='D'/>";
        let found: Vec<&str> = patient_ids(text.as_bytes())
            .into_iter()
            .map(|(start, end)| &text[start..end])
            .collect();
        assert_eq!(found, ["0000000001", "X1"]);
        assert!(patient_ids(b"<a><id extension='1'/></a>").is_empty());
    }
}
