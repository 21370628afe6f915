//! Content folders of an invented patient.

use base64::Engine as _;
use serde_json::Value;

use super::{is_document, relative_name, sniff};
use crate::testing::{all, at, one, options, reported, resolve};
use crate::trace::hits;
use crate::{Attachments, Converter, File, INLINE_LIMIT, Options, Output};

const CDA: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <id root="1.2.392.999999.9999.1" extension="260425.1"/>
  <code code="18842-5" codeSystem="2.16.840.1.113883.6.1" displayName="退院時サマリー"/>
  <title>退院時サマリー</title>
  <effectiveTime value="20260430171500+0900"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="ja-JP"/>
  <recordTarget><patientRole>
    <id root="1.2.392.100495.20.3.51.11319999999" extension="0000990001"/>
    <patient>
      <name use="IDE"><family>割符</family><given>花子</given></name>
      <administrativeGenderCode code="F"/><birthTime value="19680303"/>
    </patient>
  </patientRole></recordTarget>
  <author><assignedAuthor>
    <id root="1.2.392.100495.20.3.41.11319999999" extension="D0103"/>
    <assignedPerson><name><family>鏡</family><given>胃太郎</given></name></assignedPerson>
  </assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.392.100495.20.3.23" extension="1319999999"/><name>架空割符病院</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <documentationOf><serviceEvent><effectiveTime><low value="202604071005"/><high value="202604251010"/></effectiveTime></serviceEvent></documentationOf>
  <relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.3" extension="old"/></parentDocument></relatedDocument>
</ClinicalDocument>"#;

const KIND: &str = "DS01^退院時サマリー^99WRF^18842-5^退院時サマリー^LN";

fn path(stamp: &str, flag: char, file: &str) -> String {
    format!(
        "000/099/0000990001/20260425/{KIND}/0000990001_20260425_{KIND}_260425DS001_{stamp}_06_{flag}/{file}"
    )
}

fn run(options: Options, files: &[(String, &[u8])]) -> Output {
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    let mut out = Output::new();
    Converter::new(options).convert_patient(&files, &mut out);
    out
}

fn folder() -> Output {
    run(
        options(),
        &[
            (path("20260430171500500", '1', "endoscopy.pdf"), b"%PDF-1.4"),
            (
                path("20260430171500500", '1', "main_document.xml"),
                CDA.as_bytes(),
            ),
        ],
    )
}

#[test]
fn a_service_that_ends_before_it_starts_has_no_end_and_keeps_what_was_sent() {
    let sent = CDA.replace("202604251010", "202604061010");
    let name = path("20260430171500500", '1', "main_document.xml");
    let out = run(options(), &[(name, sent.as_bytes())]);
    let doc = one(&out, "DocumentReference");
    let period = &doc["context"]["period"];
    assert_eq!(at(period, "/start"), "2026-04-07T10:05:00+09:00");
    assert!(period["end"].is_null() && reported(&out, "MAP020"));
    let kept = &doc["extension"][0];
    assert_eq!(
        (at(kept, "/url"), at(kept, "/valueString")),
        (
            "urn:x-ssmix2:field:serviceEvent.effectiveTime",
            "202604061010"
        )
    );
    assert!(!reported(&folder(), "MAP020"));
}

#[test]
fn a_content_folder_is_one_document_with_a_binary_a_file() {
    let out = folder();
    let doc = one(&out, "DocumentReference");
    assert_eq!(
        at(&doc, "/meta/profile/0"),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DocumentReference"
    );
    assert_eq!(
        at(&doc, "/masterIdentifier/system"),
        "urn:oid:1.2.392.999999.9999.1"
    );
    assert_eq!(at(&doc, "/masterIdentifier/value"), "260425.1");
    assert_eq!(at(&doc, "/status"), "current");
    assert_eq!(at(&doc, "/type/coding/0/system"), "http://loinc.org");
    assert_eq!(at(&doc, "/type/coding/0/code"), "18842-5");
    assert_eq!(
        at(&doc, "/type/coding/1/system"),
        "urn:x-ssmix2:1319999999:99WRF"
    );
    assert_eq!(doc.pointer("/type/coding/2"), None);
    assert_eq!(at(&doc, "/category/0/text"), "サマリー");
    assert_eq!(at(&doc, "/date"), "2026-04-30T17:15:00+09:00");
    assert_eq!(at(&doc, "/custodian/display"), "架空割符病院");
    assert_eq!(at(&doc, "/securityLabel/0/coding/0/code"), "N");
    assert_eq!(
        at(&doc, "/context/period/start"),
        "2026-04-07T10:05:00+09:00"
    );
    assert_eq!(at(&doc, "/relatesTo/0/target/identifier/value"), "old");
    assert_eq!(at(&doc, "/content/0/attachment/title"), "main_document.xml");
    assert_eq!(at(&doc, "/content/0/attachment/contentType"), "text/xml");
    assert_eq!(at(&doc, "/content/0/attachment/language"), "ja-JP");
    assert_eq!(
        at(&doc, "/content/1/attachment/contentType"),
        "application/pdf"
    );
    assert_eq!(
        doc.pointer("/content/1/attachment/size")
            .and_then(Value::as_u64),
        Some(8)
    );
    // SHA-1 of "%PDF-1.4", base64 as R4 defines it.
    let hash = base64::engine::general_purpose::STANDARD
        .decode(at(&doc, "/content/1/attachment/hash"))
        .unwrap();
    assert_eq!(super::hex(&hash).len(), 40);
    let binary = resolve(&out, doc.pointer("/content/1/attachment/url").unwrap());
    assert_eq!(at(&binary, "/data"), "JVBERi0xLjQ=");
    let patient = resolve(&out, doc.pointer("/subject/reference").unwrap());
    assert_eq!(at(&patient, "/identifier/0/value"), "0000990001");
    assert_eq!(at(&patient, "/name/0/text"), "割符 花子");
    assert_eq!(at(&patient, "/gender"), "female");
    let author = resolve(&out, doc.pointer("/author/0/reference").unwrap());
    assert_eq!(
        at(&author, "/identifier/0/system"),
        "urn:oid:1.2.392.100495.20.3.41.11319999999"
    );
}

#[test]
fn leaves_point_into_the_document() {
    let out = folder();
    let r = out
        .resources
        .iter()
        .find(|r| r.resource_type == "DocumentReference")
        .unwrap();
    let found: Vec<_> = hits(&out, r).collect();
    let hit = found
        .iter()
        .find(|h| h.pointer == "/masterIdentifier/value")
        .unwrap();
    let span = &hit.spans[0];
    assert_eq!(span.message, 1);
    assert_eq!(&CDA[span.start as usize..span.end as usize], "260425.1");
    assert_eq!(hit.row.unwrap().source, "CDA id");
}

#[test]
fn the_newest_version_counts_and_what_older_ones_had_is_deleted() {
    let out = run(
        options(),
        &[
            (
                path("20260430171500500", '2', "main_document.xml"),
                CDA.as_bytes(),
            ),
            (
                path("20260430171500500", '2', "img/a.png"),
                b"\x89PNG\r\n\x1a\n",
            ),
            (
                path("20260501171500500", '1', "main_document.xml"),
                CDA.as_bytes(),
            ),
        ],
    );
    assert_eq!(all(&out, "DocumentReference").len(), 1);
    assert_eq!(all(&out, "Binary").len(), 1);
    let deleted: Vec<&str> = out.deletes.iter().map(|d| d.resource_type).collect();
    assert_eq!(deleted, ["Binary"]);
}

#[test]
fn a_withdrawn_document_is_deleted() {
    let out = run(
        options(),
        &[(
            path("20260430171500500", '0', "main_document.xml"),
            CDA.as_bytes(),
        )],
    );
    assert!(out.resources.is_empty());
    assert_eq!(out.deletes.len(), 2);
}

#[test]
fn what_is_not_well_formed_is_kept() {
    let out = run(
        options(),
        &[(
            path("20260430171500500", '1', "main_document.xml"),
            b"<ClinicalDocument><id>",
        )],
    );
    assert!(reported(&out, "MAP431"));
    let doc = one(&out, "DocumentReference");
    assert_eq!(at(&doc, "/type/coding/0/code"), "18842-5");
    assert_eq!(at(&doc, "/date"), "2026-04-30T17:15:00+09:00");
    assert_eq!(
        at(&one(&out, "Binary"), "/data"),
        "PENsaW5pY2FsRG9jdW1lbnQ+PGlkPg=="
    );
    assert_eq!(
        at(&one(&out, "Patient"), "/identifier/0/value"),
        "0000990001"
    );
}

#[test]
fn a_document_of_another_patient_is_not_merged() {
    let other = CDA.replace("extension=\"0000990001\"", "extension=\"0000990002\"");
    let out = run(
        options(),
        &[(
            path("20260430171500500", '1', "main_document.xml"),
            other.as_bytes(),
        )],
    );
    assert!(reported(&out, "MAP436"));
    assert_eq!(
        at(&one(&out, "Patient"), "/identifier/0/value"),
        "0000990002"
    );
    assert_ne!(
        at(&one(&out, "Patient"), "/id"),
        at(&one(&folder(), "Patient"), "/id")
    );
    // A referral names the number of the other hospital: no contradiction.
    let referral = other.replace("51.11319999999", "51.10110113719");
    let out = run(
        options(),
        &[(
            path("20260430171500500", '1', "main_document.xml"),
            referral.as_bytes(),
        )],
    );
    assert!(!reported(&out, "MAP436"));
}

#[test]
fn loose_documents_are_converted_by_themselves() {
    let mut out = Output::new();
    let mut converter = Converter::new(options());
    converter.convert(
        File {
            path: "summary.xml",
            bytes: CDA.as_bytes(),
        },
        7,
        &mut out,
    );
    let doc = one(&out, "DocumentReference");
    assert_eq!(at(&doc, "/type/coding/0/code"), "18842-5");
    assert_eq!(
        at(&doc, "/subject/reference"),
        format!("Patient/{}", at(&one(&out, "Patient"), "/id"))
    );
    out.clear();
    converter.convert(
        File {
            path: "scan.pdf",
            bytes: b"%PDF-1.4",
        },
        0,
        &mut out,
    );
    assert!(reported(&out, "MAP434"));
    assert_eq!(at(&one(&out, "DocumentReference"), "/type/text"), "文書");
    let mut old = Output::new();
    let path = path("20260430171500500", '2', "main_document.xml");
    converter.convert(
        File {
            path: &path,
            bytes: CDA.as_bytes(),
        },
        0,
        &mut old,
    );
    assert_eq!(at(&one(&old, "DocumentReference"), "/status"), "superseded");
}

#[test]
fn content_decides_what_a_file_is() {
    for (bytes, mime) in [
        (&b"%PDF-1"[..], Some("application/pdf")),
        (b"\xEF\xBB\xBF <?xml ?>", Some("text/xml")),
        (b"<!DOCTYPE html>", Some("text/html")),
        (b"MSH|^~\\&|", None),
        (b"", None),
    ] {
        assert_eq!(sniff(bytes), mime);
    }
    let mut dicom = vec![0u8; 128];
    dicom.extend_from_slice(b"DICM");
    assert_eq!(sniff(&dicom), Some("application/dicom"));
    assert!(!is_document(
        &path("20260430171500500", '1', "main_document.hl7"),
        b"MSH|^~\\&|A|B|C|D|20260430||ORU^R30^ORU_R30"
    ));
    assert!(is_document(
        &path("20260430171500500", '1', "cda.css"),
        b"p { }"
    ));
    assert!(!is_document("readme", b"hello"));
    assert_eq!(
        relative_name(&path("20260430171500500", '1', "img/a.png")),
        Some("img/a.png")
    );
}

#[test]
fn files_stay_in_the_storage_when_asked_for() {
    let name = path("20260430171500500", '1', "main_document.xml");
    let out = run(
        Options {
            attachments: Attachments::File,
            ..options()
        },
        &[(name.clone(), CDA.as_bytes())],
    );
    assert!(all(&out, "Binary").is_empty());
    let doc = one(&out, "DocumentReference");
    let url = at(&doc, "/content/0/attachment/url");
    assert!(
        url.starts_with("000/099/0000990001/20260425/DS01%5E%E9%80%80"),
        "{url}"
    );
    assert!(url.bytes().all(|b| b.is_ascii_graphic() && b != b'^'));
    assert!(doc.pointer("/content/0/attachment/hash").is_some());
}

#[test]
fn a_file_too_large_is_named_and_never_by_the_patient_unless_asked_for() {
    let mut large = b"%PDF-1.4".to_vec();
    large.resize(INLINE_LIMIT + 1, b' ');
    let name = path("20260430171500500", '1', "scan.pdf");
    let out = run(options(), &[(name.clone(), &large)]);
    assert!(all(&out, "Binary").is_empty());
    assert!(reported(&out, "MAP435"));
    let doc = one(&out, "DocumentReference");
    assert_eq!(doc.pointer("/content/0/attachment/url"), None);
    assert_eq!(
        doc.pointer("/content/0/attachment/size").unwrap().as_u64(),
        u64::try_from(large.len()).ok()
    );
    assert!(doc.pointer("/content/0/attachment/hash").is_some());
    large.truncate(INLINE_LIMIT);
    let out = run(options(), &[(name, &large)]);
    assert_eq!(all(&out, "Binary").len(), 1);
    assert!(!reported(&out, "MAP435"));
}

#[test]
fn a_document_has_its_provenance() {
    let with = |flag: char, text: &str| {
        run(
            Options {
                provenance: true,
                ..options()
            },
            &[(
                path("20260430171500500", flag, "main_document.xml"),
                text.as_bytes(),
            )],
        )
    };
    let out = with('1', CDA);
    let p = one(&out, "Provenance");
    let doc = one(&out, "DocumentReference");
    let targets: Vec<&str> = p["target"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| at(t, "/reference"))
        .collect();
    for kind in ["DocumentReference", "Binary", "Patient", "Practitioner"] {
        let id = one(&out, kind);
        assert!(
            targets.iter().any(|t| t.ends_with(at(&id, "/id"))),
            "{kind}: {targets:?}"
        );
    }
    assert_eq!(at(&p, "/recorded"), at(&doc, "/date"));
    // It replaces another document.
    assert_eq!(at(&p, "/activity/coding/0/code"), "UPDATE");
    assert_eq!(
        at(&p, "/entity/0/what/identifier/value"),
        at(&doc, "/meta/source")
    );
    assert!(!p.to_string().contains("0000990001"), "{p:#}");
    let created = with('1', &CDA.replace("relatedDocument", "other"));
    assert_eq!(
        at(&one(&created, "Provenance"), "/activity/coding/0/code"),
        "CREATE"
    );
    assert!(all(&folder(), "Provenance").is_empty());
}

#[test]
fn a_number_of_an_unknown_numbering_is_told() {
    let stamp = "20260430171500500";
    let told = |root: &str, number: &str| {
        let cda = CDA.replace(
            r#"root="1.2.392.100495.20.3.51.11319999999" extension="0000990001""#,
            &format!(r#"root="{root}" extension="{number}""#),
        );
        let out = run(
            options(),
            &[(path(stamp, '1', "main_document.xml"), cda.as_bytes())],
        );
        assert_eq!(all(&out, "Patient").len(), 1);
        reported(&out, "MAP437")
    };
    assert!(told("1.2.3.4", "5550001"));
    assert!(!told("1.2.3.4", "0000990001"));
    assert!(!told("1.2.3.4", "990001"));
    assert!(!told("1.2.392.100495.20.3.51.11319999999", "0000990001"));
}

#[test]
fn a_name_of_perhaps_another_person_is_not_the_patients() {
    let stamp = "20260430171500500";
    let made = |cda: &str, basic: &str| {
        let adt =
            "000/099/0000990001/-/ADT-00/0000990001_-_ADT-00_999999999999999_20260401090000000_-_1";
        let mut files = vec![(path(stamp, '1', "main_document.xml"), cda.as_bytes())];
        let text = format!(
            "MSH|^~\\&|A|B|C|D|20260401090512||ADT^A08^ADT_A01|1|P|2.5||||||UNICODE UTF-8\rPID|1||0000990001^^^^PI||{basic}\r"
        );
        if !basic.is_empty() {
            files.push((adt.to_owned(), text.as_bytes()));
        }
        let out = run(options(), &files);
        let told = out.diagnostics.iter().filter(|d| d.code.code == "MAP123");
        let told: Vec<_> = told.filter_map(|d| d.argument.clone()).collect();
        (one(&out, "Patient"), told.join(" "))
    };
    let other = CDA.replace(
        r#"root="1.2.392.100495.20.3.51.11319999999" extension="0000990001""#,
        r#"root="1.2.3.4" extension="0000077777""#,
    );
    let nameless = CDA.replace(
        r#"root="1.2.392.100495.20.3.51.11319999999" extension="0000990001""#,
        r#"nullFlavor="NI""#,
    );
    for cda in [&other, &nameless] {
        let (patient, told) = made(cda, "");
        assert_eq!(at(&patient, "/identifier/0/value"), "0000990001");
        for element in ["name", "gender", "birthDate"] {
            assert!(patient.get(element).is_none(), "{patient:#}");
        }
        assert_eq!(told, "");
    }
    assert_eq!(at(&made(CDA, "").0, "/name/0/family"), "割符");
    let contact = "\rNK1|1|割符^花子^^^^^L^I|SPO";
    for (basic, expected) in [
        (
            "割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680303|F".to_owned(),
            "",
        ),
        // A name of which the Patient has no such writing, an unknown sex, a year.
        ("ワリフ^ハナコ^^^^^L^P||1968|U".to_owned(), ""),
        (
            format!("別符^花子^^^^^L^I||19680304|M{contact}"),
            "patient.name patient.administrativeGenderCode patient.birthTime",
        ),
    ] {
        for cda in [CDA, &other] {
            let (patient, told) = made(cda, &basic);
            let family = at(&patient, "/name/0/family").to_owned();
            assert!(
                basic.starts_with(&family) && told == expected,
                "{basic}: {told}"
            );
        }
    }
}

#[test]
fn a_document_type_of_xml_is_no_html() {
    assert_eq!(
        sniff(b"<!DOCTYPE ClinicalDocument []><x/>"),
        Some("text/xml")
    );
    assert_eq!(sniff(b"<!-- made by --><x/>"), Some("text/xml"));
    assert_eq!(sniff(b"<!doctype HTML><html/>"), Some("text/html"));
    assert_eq!(sniff(b"<HTML>"), Some("text/html"));
}

#[test]
fn office_documents_are_told_by_the_ending() {
    let zip = b"PK\x03\x04....";
    let of = |name| super::content_type(name, zip);
    assert_eq!(of("a.zip"), Some("application/zip"));
    assert!(of("a.DOCX").is_some_and(|m| m.ends_with("wordprocessingml.document")));
    assert!(of("a.xlsx").is_some_and(|m| m.ends_with("spreadsheetml.sheet")));
    assert_eq!(
        super::content_type("a.docx", b"%PDF-"),
        Some("application/pdf")
    );
}

#[test]
fn an_empty_file_is_named() {
    let name = path("20260430171500500", '1', "main_document.xml");
    let severity = |files: &[(String, &[u8])]| {
        let out = run(options(), files);
        let found = out.diagnostics.iter().find(|d| d.code.code == "HL7101");
        found.map(|d| d.severity)
    };
    let alone = severity(&[(name.clone(), b"")]);
    assert_eq!(alone, Some(warifu_diag::Severity::Error));
    // A further file of a document that is there.
    let further = name.replace("main_document", "picture");
    let beside = severity(&[(name, b"<x/>"), (further, b"")]);
    assert_eq!(beside, Some(warifu_diag::Severity::Warning));
}

#[test]
fn a_replaced_version_without_a_newer_one_is_superseded() {
    let name = path("20260430171500500", '2', "main_document.xml");
    let out = run(options(), &[(name, CDA.as_bytes())]);
    assert_eq!(at(&one(&out, "DocumentReference"), "/status"), "superseded");
    assert!(reported(&out, "SSM105"));
}

#[test]
fn a_message_of_an_unknown_extended_kind_is_kept_as_a_document() {
    let name = path("20260430171500500", '1', "main_document.hl7");
    let message = |event: &str| {
        format!(
            "MSH|^~\\&|A|B|C|D|20260430171500||{event}|1|P|2.5\rPID|1||0000990001||割符^花子||19680303|F\r"
        )
    };
    let files = |text: &String| [(name.clone(), text.clone().into_bytes())];
    let other = files(&message("MDM^T02^MDM_T02"));
    let [(path, bytes)] = &other;
    let out = run(options(), &[(path.clone(), bytes.as_slice())]);
    assert!(reported(&out, "MAP438"));
    let binary = one(&out, "Binary");
    assert_eq!(at(&binary, "/contentType"), "x-application/hl7-v2+er7");
    assert_eq!(
        base64::engine::general_purpose::STANDARD.decode(at(&binary, "/data")),
        Ok(bytes.clone())
    );
    let [(path, bytes)] = &files(&message("ORU^R30^ORU_R30"));
    assert!(!is_document(path, bytes));
    // R30 elsewhere in MSH is a name or a number.
    let named = message("MDM^T02^MDM_T02").replace("|A|B|", "|R30|B|");
    assert!(is_document(path, named.as_bytes()));
}
