//! Documents of the extended storage: CDA R2, PDF, images, DICOM. Mapping §10a.
//!
//! One content folder is one DocumentReference; each file in it is one Binary. The header of a CDA is
//! read; its body is not taken apart. What is no well-formed XML is kept as it is.

mod cda;

use std::borrow::Cow;

use base64::Engine as _;
use bumpalo::Bump;
use sha1::{Digest, Sha1};
use warifu_diag::catalogue::hl7::HL7101;
use warifu_diag::catalogue::map_admin::MAP123;
use warifu_diag::catalogue::map_other::{
    MAP431, MAP432, MAP433, MAP434, MAP435, MAP436, MAP437, MAP438,
};
use warifu_diag::catalogue::ssm::{SSM104, SSM105, SSM116, SSM185};
use warifu_diag::{Code, Diagnostic, SourceId, Span};
use warifu_fhir::element::{
    binary, document_reference as el, patient as pat, practitioner as prac,
};
use warifu_fhir::{Array, Buffers, Element, Id, Object, Resource, Src};
use warifu_hl7::{Index, Message, Val, time};
use warifu_ssmix2::{
    ExtendedKind, FileName, Place, SelectionNoteKind, State, components, locate, select,
};
use warifu_terms::systems::{self, SystemUri};

use crate::convert::{Core, File, UNREAD, patient_key};
use crate::cx::{Cx, Item, PatientContext};
use crate::datatypes::{EN_REPRESENTATION, Times, local_system};
use crate::kinds::patient::JP_PATIENT;
use crate::kinds::practitioner::{JP_PRACTITIONER, row};
use crate::kinds::provenance::Activity;
use crate::options::{Attachments, INLINE_LIMIT, IdMode};
use crate::output::{OutResource, Output};
use crate::table::Worded;
use cda::{Header, Ident, Name, Person, Text};

/// Canonical of JP_DocumentReference.
const JP_DOCUMENT_REFERENCE: &str =
    "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DocumentReference";

table! {
    /// CDA R2 header and the name of the content folder → JP_DocumentReference (JP Core 1.2.0).
    /// HL7 CDA R2 §4.2; SS-MIX2 拡張ストレージ構成の説明と構築ガイドライン; mapping §10a.
    CDA_TO_JP_DOCUMENT_REFERENCE: "DocumentReference" {
        "CDA id" => "DocumentReference.masterIdentifier": part, "文書ID";
        "CDA setId" => "DocumentReference.identifier": part, "文書セットID";
        "CDA code" => "DocumentReference.type": part, "文書種別";
        "CDA title" => "DocumentReference.description": part, "文書名";
        "CDA effectiveTime" => "DocumentReference.date": part, "作成日時";
        "CDA confidentialityCode" => "DocumentReference.securityLabel": part, "守秘レベル";
        "CDA languageCode" => "DocumentReference.content.attachment.language": part, "言語";
        "CDA author" => "DocumentReference.author": part, "作成者";
        "CDA legalAuthenticator" => "DocumentReference.authenticator": part, "法的責任者";
        "CDA custodian" => "DocumentReference.custodian": part, "保管者";
        "CDA serviceEvent" => "DocumentReference.context.period": part, "診療期間";
        "CDA relatedDocument" => "DocumentReference.relatesTo": part, "関連文書";
        "KIND" => "DocumentReference.type": part, "データ種別";
        "FLAG" => "DocumentReference.status": part, "コンディションフラグ";
        "FILE" => "DocumentReference.content": part, "ファイル";
    }
}

table! {
    /// A file → Binary. FHIR R4 Binary; mapping §10a.
    FILE_TO_BINARY: "Binary" {
        "FILE" => "Binary.data": part, "ファイル";
    }
}

table! {
    /// CDA recordTarget → JP_Patient (JP Core 1.2.0), when nothing else tells of the patient.
    /// HL7 CDA R2 §4.2.2.11; mapping §10a.
    CDA_TO_JP_PATIENT: "Patient" {
        "CDA patientRole.id" => "Patient.identifier": part, "患者ID";
        "CDA patient.name" => "Patient.name": part, "患者氏名";
        "CDA patient.administrativeGenderCode" => "Patient.gender": part, "性別";
        "CDA patient.birthTime" => "Patient.birthDate": part, "生年月日";
    }
}

table! {
    /// CDA assignedAuthor, assignedEntity → JP_Practitioner (JP Core 1.2.0). HL7 CDA R2 §4.2.2.2.
    CDA_TO_JP_PRACTITIONER: "Practitioner" {
        "CDA assignedAuthor.id" => "Practitioner.identifier": part, "作成者ID";
        "CDA assignedAuthor.name" => "Practitioner.name": part, "作成者氏名";
    }
}

/// Tables of this module.
pub static TABLES: &[Worded] = crate::worded![
    CDA_TO_JP_DOCUMENT_REFERENCE,
    FILE_TO_BINARY,
    CDA_TO_JP_PATIENT,
    CDA_TO_JP_PRACTITIONER,
];

/// Whether a file is a document (CDA, PDF, image …) rather than a message: by its content, or because
/// it lies in a content folder and is no message that is converted (ORU^R30).
pub fn is_document(path: &str, bytes: &[u8]) -> bool {
    is_document_at(in_content_folder(path), bytes)
}

/// [`is_document`] where it is known whether the file lies in a content folder.
pub(crate) fn is_document_at(in_content_folder: bool, bytes: &[u8]) -> bool {
    if is_message(bytes) {
        return in_content_folder && event_of(bytes) != Some(b"R30");
    }
    in_content_folder || sniff(bytes).is_some()
}

/// MSH-9.2 of a message.
fn event_of(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.get(..512).unwrap_or(bytes);
    let msh = head.get(warifu_hl7::find(head, b"MSH", 0)?..)?;
    let msh = msh.split(|b| matches!(b, b'\r' | b'\n')).next()?;
    let (field, component) = (msh.get(3)?, msh.get(4)?);
    let nine = msh.split(|b| b == field).nth(8)?;
    Some(nine.split(|b| b == component).nth(1)?.trim_ascii())
}

/// Whether a file begins as an HL7 message.
fn is_message(bytes: &[u8]) -> bool {
    let head = bytes.get(..64).unwrap_or(bytes);
    head.windows(3).any(|w| w == b"MSH")
}

fn in_content_folder(path: &str) -> bool {
    let parts: Vec<&str> = components(path).collect();
    matches!(locate(&parts), Place::Item(l) if l.is_in_content_folder())
}

/// MIME type by the first bytes; `None` when they tell nothing.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 11] = [
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xFF\xD8\xFF", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"{\\rtf", "application/rtf"),
        (b"PK\x03\x04", "application/zip"),
        (b"\0\0\0\x0CjP  ", "image/jp2"),
        (b"\x1F\x8B", "application/gzip"),
    ];
    if bytes.get(128..132) == Some(b"DICM") {
        return Some("application/dicom");
    }
    if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        return Some("image/bmp");
    }
    if let Some((_, mime)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(mime);
    }
    if bytes.starts_with(b"\xFF\xFE<\0") || bytes.starts_with(b"\xFE\xFF\0<") {
        return Some("text/xml");
    }
    let text = bytes
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let begins = |t: &[u8], with: &[u8]| {
        t.get(..with.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    match text {
        t if t.starts_with(b"<?xml") => Some("text/xml"),
        t if begins(t, b"<!doctype html") || begins(t, b"<html") => Some("text/html"),
        t if t.starts_with(b"<!") => Some("text/xml"),
        [b'<', c, ..] if c.is_ascii_alphabetic() => Some("text/xml"),
        _ => None,
    }
}

/// MIME type by content, else by the ending of the name (texts have no first bytes of their own, and
/// office documents those of an archive).
fn content_type(name: &str, bytes: &[u8]) -> Option<&'static str> {
    if is_message(bytes) {
        return Some("x-application/hl7-v2+er7");
    }
    let ending = name.rsplit_once('.').map_or("", |(_, e)| e);
    let ending = ending.to_ascii_lowercase();
    match sniff(bytes) {
        Some("application/zip") => {}
        Some(found) => return Some(found),
        None => return by_ending(&ending),
    }
    Some(match ending.as_str() {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/zip",
    })
}

fn by_ending(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "css" => "text/css",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        "xml" | "xsl" | "xslt" => "text/xml",
        "dcm" => "application/dicom",
        "svg" => "image/svg+xml",
        "mp4" => "video/mp4",
        _ => return None,
    })
}

/// One file of a document.
#[derive(Debug, Clone, Copy)]
struct Piece<'f> {
    number: u16,
    /// Path relative to the storage root.
    path: &'f str,
    /// Name relative to the content folder.
    name: &'f str,
    bytes: &'f [u8],
}

/// A document: the files of one content folder, the main one first.
struct Document<'f> {
    item: Item<'f>,
    pieces: Vec<Piece<'f>>,
    name: Option<FileName<'f>>,
}

impl Document<'_> {
    /// Whether its document itself cannot be read.
    fn is_unread(&self) -> bool {
        self.pieces.first().is_some_and(|p| p.bytes == UNREAD)
    }
}

/// Converts one loose document. A flag of the folder says whether it is still valid.
///
/// A function of its own: in wasm it is a root of a part that is loaded when it is needed.
#[inline(never)]
pub(crate) fn convert_one(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    arena: &Bump,
    out: &mut Output,
    file: File<'_>,
    number: u16,
    item: Item<'_>,
) {
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    let piece = Piece {
        number,
        path: file.path,
        name: relative_name(file.path).unwrap_or(name),
        bytes: file.bytes,
    };
    let code: Option<Code> = match item.flag {
        b'0' => Some(&SSM116),
        b'2' => Some(&SSM105),
        _ => None,
    };
    if let Some(code) = code {
        out.diagnostics.push(Diagnostic::new(code, whole(number)));
    }
    convert(
        core,
        pool,
        arena,
        out,
        &PatientContext::default(),
        &Document {
            item,
            pieces: vec![piece],
            name: None,
        },
        item.flag,
    );
}

/// Converts content folders: the files below one folder are one item. Of several versions only the
/// valid one is converted; what the others hold is to be deleted.
///
/// A function of its own, as [`convert_one`].
#[inline(never)]
pub(crate) fn convert_folders(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    arena: &Bump,
    out: &mut Output,
    context: &PatientContext,
    files: &[(u16, File<'_>, Item<'_>)],
) {
    let mut folders: warifu_order::Map<&str, Document<'_>> = warifu_order::Map::new();
    for (number, file, item) in files {
        let leaf = file.path.rsplit('/').next().unwrap_or(file.path);
        let name = relative_name(file.path).unwrap_or(leaf);
        let folder = file
            .path
            .get(..file.path.len() - name.len())
            .filter(|f| in_content_folder(file.path) && !f.is_empty())
            .unwrap_or(file.path);
        let piece = Piece {
            number: *number,
            path: file.path,
            name,
            bytes: file.bytes,
        };
        folders
            .entry(folder)
            .or_insert_with(|| Document {
                item: *item,
                pieces: Vec::new(),
                name: folder_name(file.path),
            })
            .pieces
            .push(piece);
    }
    let mut all: Vec<Document<'_>> = folders.into_sorted().map(|(_, d)| d).collect();
    for d in &mut all {
        warifu_order::sort_by_key(&mut d.pieces, |p| {
            (
                !p.name.starts_with("main_document"),
                sniff(p.bytes) != Some("text/xml"),
                p.name,
            )
        });
        // What is beside a document that can be read may be missing.
        if !d.is_unread() {
            d.pieces.retain(|p| p.bytes != UNREAD);
        }
    }
    let (named, loose): (Vec<_>, Vec<_>) = all.into_iter().partition(|d| d.name.is_some());
    let names: Vec<FileName<'_>> = named.iter().filter_map(|d| d.name).collect();
    let selection = select(&names);
    let state = |i: usize| {
        selection
            .outcomes
            .get(i)
            .map_or(State::Current, |o| o.state)
    };
    for note in &selection.notes {
        let code: Code = match note.kind {
            SelectionNoteKind::SeveralCurrent => &SSM104,
            SelectionNoteKind::OnlyReplaced => &SSM105,
            _ => continue,
        };
        let main = named.get(note.file).and_then(|d| d.pieces.first());
        let whole = whole(main.map_or(0, |p| p.number));
        out.diagnostics.push(Diagnostic::new(code, whole));
    }
    for (i, d) in named.iter().enumerate() {
        if state(i).is_used() {
            convert(core, pool, arena, out, context, d, d.item.flag);
        }
    }
    for d in &loose {
        convert(core, pool, arena, out, context, d, d.item.flag);
    }
    for (i, d) in named.iter().enumerate() {
        let winner = selection.outcomes.get(i).and_then(|o| o.winner);
        let is_known = winner
            .and_then(|w| named.get(w))
            .is_none_or(|w| !w.is_unread());
        if matches!(
            state(i),
            State::Superseded | State::Cancelled | State::Moved
        ) && is_known
        {
            forget(core, pool, arena, out, context, d);
        }
    }
}

/// Name of a file inside its content folder.
fn relative_name(path: &str) -> Option<&str> {
    let parts: Vec<&str> = components(path).collect();
    let Place::Item(l) = locate(&parts) else {
        return None;
    };
    let length = l
        .inside
        .iter()
        .map(|p| p.len() + 1)
        .sum::<usize>()
        .checked_sub(1)?;
    path.get(path.len().checked_sub(length)?..)
}

/// Name of the content folder of a file.
fn folder_name(path: &str) -> Option<FileName<'_>> {
    let parts: Vec<&str> = components(path).collect();
    match locate(&parts) {
        Place::Item(l) if l.is_in_content_folder() => l.name().ok(),
        _ => None,
    }
}

fn whole(number: u16) -> Span {
    Span {
        source: SourceId(u32::from(number)),
        start: 0,
        end: 0,
    }
}

/// Bytes of a text of the header, as a source.
fn src(number: u16, t: &Text) -> Src {
    if t.is_empty() {
        Src::NONE
    } else {
        Src {
            message: number,
            start: t.start,
            end: t.end.max(1),
        }
    }
}

/// All of a file, as a source.
fn file_src(p: &Piece<'_>) -> Src {
    Src {
        message: p.number,
        start: 0,
        end: u32::try_from(p.bytes.len()).unwrap_or(u32::MAX).max(1),
    }
}

/// What stands for the item in ids: its storage key, else its content.
fn key<'a>(cx: &Cx<'a, '_>, d: &Document<'_>) -> [&'a str; 3] {
    if !d.item.kind_text.is_empty() || !d.item.order.is_empty() {
        return [
            cx.text(d.item.kind_text),
            cx.text(d.item.date),
            cx.text(d.item.order),
        ];
    }
    let mut hash = Sha1::new();
    for p in &d.pieces {
        hash.update(p.name.as_bytes());
        hash.update([0]);
        hash.update(p.bytes);
    }
    ["loose", "", cx.text(&hex(&hash.finalize()))]
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn reference_id(cx: &mut Cx<'_, '_>, key: &[&str; 3]) -> Id {
    let [a, b, c] = *key;
    cx.id("DocumentReference", &[a, b, c], 0, c)
}

fn binary_id(cx: &mut Cx<'_, '_>, key: &[&str; 3], name: &str) -> Id {
    let [a, b, c] = *key;
    let suffix = bumpalo::format!(in cx.message().arena(), "{}.{}", c, name).into_bump_str();
    cx.id("Binary", &[a, b, c, name], 0, suffix)
}

/// Runs `f` with a context in which a message without segments stands in for the file.
#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a context, one call each"
)]
fn with_cx(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    arena: &Bump,
    out: &mut Output,
    context: &PatientContext,
    item: Item<'_>,
    number: u16,
    f: impl for<'a> FnOnce(&mut Cx<'a, '_>, &'a Index),
) {
    let index = Index::new();
    let patient_id = core.patient_id(&context.patient);
    out.turn_to(patient_id);
    let mut cx = Cx::new(
        core,
        out,
        context,
        (item, Message::new(&[], &index, arena, number)),
        patient_id,
        pool,
    );
    f(&mut cx, &index);
}

/// Deletes what a version gave that is no longer valid, unless the living one gives it again.
fn forget(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    arena: &Bump,
    out: &mut Output,
    context: &PatientContext,
    d: &Document<'_>,
) {
    let Some(main) = d.pieces.first() else { return };
    let header = cda::header(main.bytes).ok();
    let person = person_of(core, out, context, d, header.as_ref(), true);
    with_cx(
        core,
        pool,
        arena,
        out,
        &person,
        d.item,
        main.number,
        |cx, _| {
            let key = key(cx, d);
            let id = reference_id(cx, &key);
            let mut dead = vec![("DocumentReference", id, main.number)];
            for p in &d.pieces {
                dead.push(("Binary", binary_id(cx, &key, p.name), p.number));
            }
            for (resource_type, id, message) in dead {
                if !cx.emitted(resource_type, id) {
                    cx.withdraw(resource_type, id, message);
                }
            }
        },
    );
}

/// The person of a document: the folder's patient, or another one where the document itself names a
/// different number of the same institution.
fn person_of<'c>(
    core: &Core,
    out: &mut Output,
    context: &'c PatientContext,
    d: &Document<'_>,
    header: Option<&Header>,
    silent: bool,
) -> Cow<'c, PatientContext> {
    let number = d.pieces.first().map_or(0, |p| p.number);
    let own = header.and_then(|h| {
        h.patient_ids.iter().find(
            |i| match i.root.text.strip_prefix("1.2.392.100495.20.3.51.1") {
                Some(institution) => core
                    .options
                    .institution
                    .as_deref()
                    .is_none_or(|n| n == institution),
                None => false,
            },
        )
    });
    let inside = own
        .or_else(|| {
            header
                .and_then(|h| h.patient_ids.first())
                .filter(|_| d.item.patient.is_empty())
        })
        .map(|i| &i.extension);
    let named = inside.map_or("", |t| t.text.as_str());
    if !silent {
        let at = inside.map_or_else(
            || whole(number),
            |t| Span {
                source: SourceId(u32::from(number)),
                start: t.start,
                end: t.end,
            },
        );
        if d.item.patient.is_empty() && named.is_empty() {
            out.diagnostics.push(Diagnostic::new(&MAP434, at));
        } else if !d.item.patient.is_empty()
            && !named.is_empty()
            && !warifu_ssmix2::same_patient(d.item.patient, named)
        {
            out.diagnostics.push(Diagnostic::new(&MAP436, at));
        } else if named.is_empty()
            && let Some(other) = header.and_then(|h| unconfirmed(h, d.item.patient))
        {
            let at = Span {
                source: SourceId(u32::from(number)),
                start: other.start,
                end: other.end,
            };
            out.diagnostics.push(Diagnostic::new(&MAP437, at));
        }
    }
    let key = patient_key(d.item.patient, named);
    if context.patient == key {
        return Cow::Borrowed(context);
    }
    Cow::Owned(PatientContext {
        patient: key,
        ..PatientContext::default()
    })
}

/// A patient number of another, unknown numbering, where none of the document is that of the folder, or the
/// document's own number where it has none of a patient: perhaps the same person, perhaps not.
fn unconfirmed<'h>(header: &'h Header, folder: &str) -> Option<&'h Text> {
    let mut numbers = header.patient_ids.iter().map(|i| &i.extension);
    let same = |t: &Text| warifu_ssmix2::same_patient(folder, &t.text);
    if folder.is_empty() || numbers.clone().any(same) {
        return None;
    }
    Some(numbers.next().unwrap_or(&header.id.root))
}

/// Converts one document.
fn convert(
    core: &Core,
    pool: &mut Vec<Box<Buffers>>,
    arena: &Bump,
    out: &mut Output,
    context: &PatientContext,
    d: &Document<'_>,
    flag: u8,
) {
    let Some(main) = d.pieces.first() else { return };
    if d.is_unread() {
        let found = Diagnostic::new(&SSM185, whole(main.number));
        out.diagnostics.push(found);
        return;
    }
    let header = if sniff(main.bytes) == Some("text/xml") {
        match cda::header(main.bytes) {
            Ok(h) => Some(h),
            Err(cda::Failure::NotCda) => None,
            Err(cda::Failure::NotReadable) => {
                out.diagnostics
                    .push(Diagnostic::new(&MAP431, whole(main.number)));
                None
            }
        }
    } else {
        None
    };
    let person = person_of(core, out, context, d, header.as_ref(), false);
    let h = header.unwrap_or_default();
    for p in &d.pieces {
        let code: Option<Code> = if p.bytes.is_empty() {
            Some(&HL7101)
        } else if is_message(p.bytes) {
            Some(&MAP438)
        } else {
            None
        };
        if let Some(code) = code {
            let mut d = Diagnostic::new(code, whole(p.number));
            // The document is there without it.
            if p.number != main.number && !main.bytes.is_empty() {
                d.severity = warifu_diag::Severity::Warning;
            }
            out.diagnostics.push(d);
        }
        out.set_source(p.number, crate::kinds::provenance::source(core, &d.item));
    }
    with_cx(
        core,
        pool,
        arena,
        out,
        &person,
        d.item,
        main.number,
        |cx, index| {
            let made = cx.out.resources.len();
            if let Some(t) = time::parse(&h.effective.text) {
                let said = cx.out.said(main.number);
                cx.out.message_times.push((main.number, t, said));
            }
            if !cx.context.patient.is_empty() {
                cx.out.patient = cx.out.patient.or(Some(cx.patient_id()));
                patient(cx, &h, main.number);
            }
            let key = key(cx, d);
            let binaries: Vec<Id> = d
                .pieces
                .iter()
                .map(|p| binary_id(cx, &key, p.name))
                .collect();
            reference(cx, d, &h, &key, &binaries, flag);
            let arena = cx.message().arena();
            for (p, id) in d.pieces.iter().zip(binaries) {
                cx.message = Message::new(&[], index, arena, p.number);
                if is_inline(cx, p) {
                    file(cx, p, id);
                } else if cx.options().attachments == Attachments::Inline {
                    let d = Diagnostic::new(&MAP435, whole(p.number));
                    cx.out.diagnostics.push(d);
                }
            }
            cx.message = Message::new(&[], index, arena, main.number);
            origin(cx, d, &h, flag, made, main.number);
        },
    );
}

/// Whether a file becomes a Binary.
fn is_inline(cx: &Cx<'_, '_>, p: &Piece<'_>) -> bool {
    cx.options().attachments == Attachments::Inline && p.bytes.len() <= INLINE_LIMIT
}

/// A path as a relative URL (RFC 3986).
fn url_of(path: &str) -> String {
    use std::fmt::Write as _;
    let mut s = String::with_capacity(path.len());
    for b in components(path).collect::<Vec<_>>().join("/").bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'/') {
            s.push(char::from(b));
        } else {
            let _ = write!(s, "%{b:02X}");
        }
    }
    s
}

/// Emits the Provenance of a document: its targets are the resources made since `made`.
fn origin(cx: &mut Cx<'_, '_>, d: &Document<'_>, h: &Header, flag: u8, made: usize, n: u16) {
    if !cx.options().provenance {
        return;
    }
    let targets: Vec<(&'static str, Id)> = cx
        .out
        .resources
        .iter()
        .skip(made)
        .map(|r| (r.resource_type, r.id))
        .collect();
    let replaces = h.related.iter().any(|(kind, _)| kind.text == "RPLC");
    let activity = match flag {
        b'0' => Activity::Delete,
        b'2' => Activity::Update,
        _ if replaces => Activity::Update,
        _ => Activity::Create,
    };
    let (recorded, recorded_src) = moment(&d.item, &h.effective, n);
    crate::kinds::provenance::document(
        cx,
        &targets,
        &recorded,
        recorded_src,
        activity,
        (&h.custodian_name.text, src(n, &h.custodian_name)),
    );
}

/// When the document was made: its effective time, else the time stamp of the file; may be empty.
fn moment(item: &Item<'_>, effective: &Text, n: u16) -> (String, Src) {
    let mut s = String::new();
    if let Some(t) = time::parse(&effective.text) {
        t.write_instant(&mut s);
        return (s, src(n, effective));
    }
    let stamp = item.timestamp;
    if let Some(t) = time::parse(stamp.get(..stamp.len().min(14)).unwrap_or(stamp)) {
        t.write_instant(&mut s);
    }
    (s, Src::NONE)
}

/// Emits the Binary of a file.
fn file(cx: &mut Cx<'_, '_>, p: &Piece<'_>, id: Id) {
    let mut r = cx.open("Binary", id);
    r.row(row(&FILE_TO_BINARY, "FILE"));
    let mime = content_type(p.name, p.bytes).unwrap_or_else(|| {
        cx.out
            .diagnostics
            .push(Diagnostic::new(&MAP433, whole(p.number)));
        "application/octet-stream"
    });
    r.string(binary::CONTENT_TYPE, mime, file_src(p));
    r.string(
        binary::DATA,
        &base64::engine::general_purpose::STANDARD.encode(p.bytes),
        file_src(p),
    );
    cx.emit(r);
}

/// Emits a Patient when nothing else has told of the person; else tells where the document says otherwise.
/// Where all of its numbers are of another numbering it is perhaps of somebody else, and the Patient has
/// the number of the folder alone.
fn patient(cx: &mut Cx<'_, '_>, h: &Header, n: u16) {
    let id = cx.patient_id();
    let is_it = |r: &&OutResource| r.id == id && r.resource_type == "Patient";
    if let Some(known) = cx.out.resources.iter().find(is_it) {
        let json = cx.text(&String::from_utf8_lossy(cx.out.json_of(known)));
        compare(cx, json, h, n);
        return;
    }
    if cx.context.has_adt00 {
        return;
    }
    let mut r = cx.open("Patient", id);
    r.row(row(&CDA_TO_JP_PATIENT, "CDA patientRole.id"));
    let (number, at) = match h
        .patient_ids
        .iter()
        .find(|i| i.extension.text == cx.context.patient || cx.item.patient.is_empty())
    {
        Some(i) => (i.extension.text.as_str(), src(n, &i.extension)),
        // The pair of a folder and another number: the number of the document itself.
        None => (
            cx.context.patient.split('\u{1e}').next().unwrap_or(""),
            Src::NONE,
        ),
    };
    let system = super::patient::system_of_numbers(cx);
    r.object(pat::IDENTIFIER, |o| {
        o.constant("use", "usual");
        o.string("system", system, Src::NONE);
        o.string("value", number, at);
    });
    r.profile(JP_PATIENT);
    if cx.context.patient == cx.item.patient && unconfirmed(h, cx.item.patient).is_some() {
        cx.emit(r);
        return;
    }
    r.row(row(&CDA_TO_JP_PATIENT, "CDA patient.name"));
    for name in &h.patient_names {
        r.object(pat::NAME, |o| human_name(o, name, n));
    }
    r.row(row(
        &CDA_TO_JP_PATIENT,
        "CDA patient.administrativeGenderCode",
    ));
    if !h.gender.is_empty() {
        let gender = warifu_terms::maps::GENDER.translate(&h.gender.text);
        r.string(pat::GENDER, gender.to, src(n, &h.gender));
    }
    r.row(row(&CDA_TO_JP_PATIENT, "CDA patient.birthTime"));
    if let Some(t) = warifu_hl7::time::parse(&h.birth.text) {
        let mut s = String::new();
        t.write_date(&mut s);
        r.string(pat::BIRTH_DATE, &s, src(n, &h.birth));
    }
    cx.emit(r);
}

/// Tells where a document says otherwise of its patient than the Patient that was made before (`json`). A
/// name in a writing that the Patient has none in says nothing else, nor does a year beside a day.
fn compare(cx: &mut Cx<'_, '_>, json: &str, h: &Header, n: u16) {
    let contact = warifu_hl7::find(json.as_bytes(), b"\"contact\":", 0);
    let own = json
        .get(..contact.unwrap_or(json.len()))
        .unwrap_or_default();
    let differs = |key: &str, said: &str| {
        let at = warifu_hl7::find(own.as_bytes(), key.as_bytes(), 0);
        let known = at.and_then(|at| own.get(at + key.len()..)?.split('"').next());
        known.is_some_and(|known| {
            known != "unknown" && !known.starts_with(said) && !said.starts_with(known)
        })
    };
    let known = squeeze(own);
    let (mut told, mut same) = (None, false);
    for name in &h.patient_names {
        let text = squeeze(&name.display());
        let is_kana = |c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}');
        let form = match text.chars().all(is_kana) {
            true => "\"SYL\"",
            _ if text.is_ascii() => "\"ABC\"",
            _ => "\"IDE\"",
        };
        if told.is_none() && warifu_hl7::has(own, form) {
            told = Some(name.at());
        }
        same |= warifu_hl7::has(&known, &["\"", &text, "\""].concat());
    }
    let mut birth = String::new();
    if let Some(t) = time::parse(&h.birth.text) {
        t.write_date(&mut birth);
    }
    let gender = warifu_terms::maps::GENDER.translate(&h.gender.text).to;
    let sex = gender != "unknown" && differs("\"gender\":\"", gender);
    let born = differs("\"birthDate\":\"", &birth);
    for (at, argument) in [
        (told.filter(|_| !same), "patient.name"),
        (
            Some(&h.gender).filter(|_| sex),
            "patient.administrativeGenderCode",
        ),
        (Some(&h.birth).filter(|_| born), "patient.birthTime"),
    ] {
        if let Some(at) = at {
            cx.report_with(&MAP123, &src(n, at), argument);
        }
    }
}

/// A text without its blanks.
#[inline(never)]
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}

fn human_name(o: &mut Object<'_>, name: &Name, n: u16) {
    let representation = match name.name_use.text.as_str() {
        "IDE" => "IDE",
        "SYL" => "SYL",
        "ABC" => "ABC",
        _ => "",
    };
    if !representation.is_empty() {
        o.array("extension", |a| {
            a.object(|o| {
                o.constant("url", EN_REPRESENTATION);
                o.string("valueCode", representation, src(n, &name.name_use));
            });
        });
    }
    o.constant("use", "official");
    let at = src(n, name.at());
    o.string("text", &name.display(), at);
    o.string("family", &name.family.text, src(n, &name.family));
    o.array("given", |a| a.string(&name.given.text, src(n, &name.given)));
}

/// `urn:oid:` or `urn:uuid:` of a root.
fn urn(root: &str) -> String {
    if root.contains('-') {
        format!("urn:uuid:{}", root.to_ascii_lowercase())
    } else {
        format!("urn:oid:{root}")
    }
}

/// Writes an Identifier from an II: root and extension, or a root that is unique by itself.
fn identifier(o: &mut Object<'_>, i: &Ident, n: u16) {
    if i.extension.is_empty() {
        o.constant("system", "urn:ietf:rfc:3986");
        o.string("value", &urn(&i.root.text), src(n, &i.root));
        return;
    }
    if !i.root.is_empty() {
        o.string("system", &urn(&i.root.text), src(n, &i.root));
    }
    o.string("value", &i.extension.text, src(n, &i.extension));
}

/// Adds a person: a Practitioner (emitted once) when there is a number, else the name alone.
fn person(cx: &mut Cx<'_, '_>, r: &mut Resource, element: Element, p: &Person, n: u16) {
    let display = p.names.first().map(Name::display).unwrap_or_default();
    let named = [p.names.first().map(Name::at), Some(&p.device)];
    let at = named
        .into_iter()
        .flatten()
        .find(|t| !t.is_empty())
        .map_or(Src::NONE, |t| src(n, t));
    let Some(i) = p
        .ids
        .iter()
        .find(|i| !i.extension.is_empty())
        .filter(|_| !p.names.is_empty())
    else {
        let text = if display.is_empty() {
            &p.device.text
        } else {
            &display
        };
        r.object(element, |o| o.string("display", text, at));
        return;
    };
    // The doctor numbers of the institution are those of XCN.1: the same Practitioner.
    let own = i
        .root
        .text
        .strip_prefix("1.2.392.100495.20.3.41.1")
        .is_some_and(|rest| cx.institution().is_none_or(|n| n == rest));
    let number = i.extension.text.as_str();
    let readable = format!("practitioner.{number}");
    let id = if own {
        cx.shared_id("Practitioner", &[number], &readable)
    } else {
        cx.shared_id(
            "Practitioner",
            &[&i.root.text, number],
            &format!("practitioner.{}.{number}", i.root.text),
        )
    };
    if !cx.emitted("Practitioner", id) {
        let mut pr = cx.open("Practitioner", id);
        pr.row(row(&CDA_TO_JP_PRACTITIONER, "CDA assignedAuthor.id"));
        pr.object(prac::IDENTIFIER, |o| identifier(o, i, n));
        pr.row(row(&CDA_TO_JP_PRACTITIONER, "CDA assignedAuthor.name"));
        for name in &p.names {
            pr.object(prac::NAME, |o| human_name(o, name, n));
        }
        pr.profile(JP_PRACTITIONER);
        cx.emit(pr);
    }
    let text = cx.reference_text("Practitioner", id);
    r.object(element, |o| {
        o.string("reference", text, src(n, &i.extension));
        o.string("display", &display, at);
    });
}

/// Families of document types, by LOINC code.
const FAMILIES: [(&str, &str); 9] = [
    ("11506-3", "診療記録"),
    ("34108-1", "診療記録"),
    ("34112-3", "診療記録"),
    ("18842-5", "サマリー"),
    ("57133-1", "診療情報提供書"),
    ("74465-6", "災害診療記録"),
    ("18748-4", "検査報告書"),
    ("11502-2", "検査報告書"),
    ("11526-1", "検査報告書"),
];

/// Emits the DocumentReference.
fn reference(
    cx: &mut Cx<'_, '_>,
    d: &Document<'_>,
    h: &Header,
    key: &[&str; 3],
    binaries: &[Id],
    flag: u8,
) {
    let n = d.pieces.first().map_or(0, |p| p.number);
    let id = reference_id(cx, key);
    let mut r = cx.open("DocumentReference", id);
    let at = |r: &mut Resource, source: &str| {
        r.row(row(&CDA_TO_JP_DOCUMENT_REFERENCE, source));
    };
    at(&mut r, "CDA id");
    if h.id.is_empty() {
        let value = if cx.options().without_source_identifier || cx.options().ids == IdMode::Keyed {
            id.as_str().to_owned()
        } else {
            key.join("_")
        };
        r.object(el::MASTER_IDENTIFIER, |o| {
            o.constant("system", systems::ID_RESOURCE_INSTANCE);
            o.string("value", &value, Src::NONE);
        });
    } else {
        r.object(el::MASTER_IDENTIFIER, |o| identifier(o, &h.id, n));
    }
    at(&mut r, "CDA setId");
    if !h.set_id.is_empty() {
        r.object(el::IDENTIFIER, |o| identifier(o, &h.set_id, n));
    }
    at(&mut r, "FLAG");
    r.string(
        el::STATUS,
        match flag {
            b'0' => "entered-in-error",
            b'2' => "superseded",
            _ => "current",
        },
        Src::NONE,
    );
    at(&mut r, "KIND");
    document_type(cx, &mut r, d, h, n);
    if !cx.context.patient.is_empty() {
        cx.subject(&mut r, el::SUBJECT);
    }
    at(&mut r, "CDA effectiveTime");
    date(cx, &mut r, &h.effective, n);
    at(&mut r, "CDA author");
    for a in &h.authors {
        person(cx, &mut r, el::AUTHOR, a, n);
    }
    at(&mut r, "CDA legalAuthenticator");
    if let Some(a) = &h.authenticator {
        person(cx, &mut r, el::AUTHENTICATOR, a, n);
    }
    at(&mut r, "CDA custodian");
    if !(h.custodian.is_empty() && h.custodian_name.is_empty()) {
        r.object(el::CUSTODIAN, |o| {
            o.constant("type", "Organization");
            if !h.custodian.is_empty() {
                o.object("identifier", |o| identifier(o, &h.custodian, n));
            }
            o.string("display", &h.custodian_name.text, src(n, &h.custodian_name));
        });
    }
    at(&mut r, "CDA relatedDocument");
    for (kind, parent) in &h.related {
        let code = match kind.text.as_str() {
            "APND" => "appends",
            "XFRM" => "transforms",
            _ => "replaces",
        };
        r.object(el::RELATES_TO, |o| {
            o.string("code", code, src(n, kind));
            o.object("target", |o| {
                o.constant("type", "DocumentReference");
                o.object("identifier", |o| identifier(o, parent, n));
            });
        });
    }
    at(&mut r, "CDA title");
    r.string(el::DESCRIPTION, &h.title.text, src(n, &h.title));
    at(&mut r, "CDA confidentialityCode");
    if !h.confidentiality.code.is_empty() {
        r.object(el::SECURITY_LABEL, |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    let system = match h.confidentiality.system.text.as_str() {
                        "" | "2.16.840.1.113883.5.25" => {
                            "http://terminology.hl7.org/CodeSystem/v3-Confidentiality".to_owned()
                        }
                        other => urn(other),
                    };
                    o.string("system", &system, src(n, &h.confidentiality.system));
                    o.string(
                        "code",
                        &h.confidentiality.code.text,
                        src(n, &h.confidentiality.code),
                    );
                });
            });
        });
    }
    at(&mut r, "FILE");
    for (i, (p, id)) in d.pieces.iter().zip(binaries).enumerate() {
        let url = if is_inline(cx, p) {
            cx.reference_text("Binary", *id)
        } else if cx.options().attachments == Attachments::File {
            cx.text(&url_of(p.path))
        } else {
            ""
        };
        r.object(el::CONTENT, |o| {
            o.object("attachment", |o| {
                o.string(
                    "contentType",
                    content_type(p.name, p.bytes).unwrap_or("application/octet-stream"),
                    file_src(p),
                );
                if i == 0 {
                    o.string("language", &h.language.text, src(n, &h.language));
                }
                o.string("url", url, Src::NONE);
                if i32::try_from(p.bytes.len()).is_ok() {
                    o.number("size", &p.bytes.len().to_string(), file_src(p));
                }
                o.string(
                    "hash",
                    &base64::engine::general_purpose::STANDARD.encode(Sha1::digest(p.bytes)),
                    file_src(p),
                );
                // Of control characters nothing is written.
                if p.name
                    .chars()
                    .any(|c| !c.is_control() && !c.is_whitespace())
                {
                    o.string("title", p.name, Src::NONE);
                }
            });
        });
    }
    at(&mut r, "CDA serviceEvent");
    context(cx, &mut r, h, n);
    r.profile(JP_DOCUMENT_REFERENCE);
    cx.emit(r);
}

/// Type from the data kind (its standard code first), with the document's own code beside it.
fn document_type(cx: &mut Cx<'_, '_>, r: &mut Resource, d: &Document<'_>, h: &Header, n: u16) {
    let kind = ExtendedKind::parse(d.item.kind_text);
    let own_system = systems::url_of_oid(&h.code.system.text)
        .map_or_else(|| urn(&h.code.system.text), str::to_owned);
    let mut standard = "";
    let mut text = "";
    r.object(el::TYPE, |o| {
        let mut shown: Vec<(String, &str)> = Vec::new();
        o.array("coding", |a: &mut Array<'_>| {
            if let Some(k) = &kind {
                for (code, name, system) in [
                    (k.std_code, k.std_name, k.std_system),
                    (k.code, k.name, k.system),
                ] {
                    if code.is_empty() {
                        text = if text.is_empty() { name } else { text };
                        continue;
                    }
                    let uri = match systems::system_uri(system, code, "") {
                        SystemUri::Known(uri) => uri,
                        _ => local_system(cx, system),
                    };
                    if uri == systems::LOINC {
                        standard = code;
                    }
                    text = if text.is_empty() { name } else { text };
                    a.object(|o| {
                        o.string("system", uri, Src::NONE);
                        o.string("code", code, Src::NONE);
                        o.string("display", name, Src::NONE);
                    });
                    shown.push((uri.to_owned(), code));
                }
            }
            if !h.code.code.is_empty()
                && !shown
                    .iter()
                    .any(|(s, c)| *s == own_system && *c == h.code.code.text)
            {
                a.object(|o| {
                    if !h.code.system.is_empty() {
                        o.string("system", &own_system, src(n, &h.code.system));
                    }
                    o.string("code", &h.code.code.text, src(n, &h.code.code));
                    o.string("display", &h.code.display.text, src(n, &h.code.display));
                });
            }
        });
        match [text, h.code.display.text.as_str(), h.title.text.as_str()]
            .into_iter()
            .find(|t| !t.is_empty())
        {
            Some(t) => o.string("text", t, Src::NONE),
            None => o.constant("text", "文書"),
        }
    });
    if standard.is_empty() && own_system == systems::LOINC {
        standard = &h.code.code.text;
    }
    if let Some((_, family)) = FAMILIES.iter().find(|(code, _)| *code == standard) {
        r.object(el::CATEGORY, |o| o.constant("text", family));
    }
}

/// `date`: the effective time of the document, else the time stamp of the file.
fn date(cx: &mut Cx<'_, '_>, r: &mut Resource, effective: &Text, n: u16) {
    if !effective.is_empty() && time::parse(&effective.text).is_none() {
        report_time(cx, effective, n, "effectiveTime");
    }
    let (text, at) = moment(&cx.item, effective, n);
    r.string(el::DATE, &text, at);
}

fn report_time(cx: &mut Cx<'_, '_>, t: &Text, n: u16, what: &'static str) {
    let span = Span {
        source: SourceId(u32::from(n)),
        start: t.start,
        end: t.end,
    };
    cx.out
        .diagnostics
        .push(Diagnostic::new(&MAP432, span).with(what));
}

/// `context`: period of the service; the stay or visit it falls into.
fn context(cx: &mut Cx<'_, '_>, r: &mut Resource, h: &Header, n: u16) {
    const SERVICE: &str = "serviceEvent.effectiveTime";
    let [(from, low), (to, high)] = [&h.service.0, &h.service.1].map(|t| {
        let time = time::parse(&t.text);
        if time.is_none() && !t.is_empty() {
            report_time(cx, t, n, SERVICE);
        }
        let at = src(n, t);
        let value = Val {
            text: cx.text(&t.text),
            message: n,
            start: at.start,
            end: at.end,
        };
        (time, value)
    });
    let times = Times::told(cx, (low, high), (from, to), SERVICE);
    let day = if h.service.0.is_empty() {
        cx.item.date
    } else {
        &h.service.0.text
    };
    let stay = cx
        .encounter_at(day)
        .map(|id| cx.reference_text("Encounter", id));
    r.object(el::CONTEXT, |o| {
        if let Some(stay) = stay {
            o.array("encounter", |a| {
                a.object(|o| o.string("reference", stay, src(n, &h.service.0)));
            });
        }
        o.object("period", |o| times.write(o));
    });
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]
mod tests;
