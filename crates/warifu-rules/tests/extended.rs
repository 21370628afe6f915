//! The extended storage: vital signs and documents, one fault at a time.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use common::{encoded, found};
use warifu_rules::Options;

const VITAL: &str = "000/000/0000000001/20260413/L-OBSERVATIONS^OBSERVATIONS^99ZL01/0000000001_20260413_L-OBSERVATIONS^OBSERVATIONS^99ZL01_000002026041311_20260413111000300_01_1/main_document.hl7";

const MESSAGE: &str = "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260413111000.300||ORU^R30^ORU_R30|1|P|2.5||||||~ISO IR87||ISO 2022-1994\nPID|1||0000000001^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F\nORC|SC|000002026041311|||CM||||20260413110500\nOBR|1|000002026041311||V01^バイタルサイン^99TST|||202604131105\nOBX|1|NM|9A751000000000001^収縮期血圧^JC10||92|mm(hg)^mmHg^ISO+|||||F|||202604131105\nOBX|2|NM|9A761000000000001^拡張期血圧^JC10||54|mm(hg)^mmHg^ISO+|||||F|||202604131105";

/// Codes that a file has, each with its path.
fn codes(files: &[(&str, Vec<u8>)]) -> Vec<String> {
    let files: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(path, bytes)| ((*path).to_owned(), bytes.clone()))
        .collect();
    found(Options::default(), &files)
        .iter()
        .map(|d| {
            let path = d.path.map(|p| p.to_string()).unwrap_or_default();
            format!("{} {path}", d.code.code).trim_end().to_owned()
        })
        .collect()
}

/// What a vital sign has that the sound one has not.
fn vital(from: &str, to: &str) -> Vec<String> {
    let sound = codes(&[(VITAL, encoded(MESSAGE))]);
    assert!(MESSAGE.contains(from), "{from}");
    let mut own = codes(&[(VITAL, encoded(&MESSAGE.replacen(from, to, 1)))]);
    own.retain(|c| !sound.contains(c));
    own
}

#[test]
fn vital_signs_are_of_their_event_and_day_and_have_values() {
    assert_eq!(
        vital("ORU^R30^ORU_R30", "ORU^R01^ORU_R01"),
        ["SSM106 MSH-9"]
    );
    assert_eq!(
        vital("F|||202604131105", "F|||202001010600"),
        ["SSM107 OBX-14"]
    );
    assert_eq!(vital("F|||202604131105", "F"), ["SSM150 OBX-14"]);
    assert_eq!(vital("||92|", "|||"), ["SSM641 OBX-5"]);
    // Not obtained.
    assert_eq!(
        vital("||92|mm(hg)^mmHg^ISO+|||||F", "|||mm(hg)^mmHg^ISO+|||||X"),
        Vec::<String>::new()
    );
}

const DOCUMENT: &str = "000/000/0000000001/20260413/A^B^99Z/0000000001_20260413_A^B^99Z_1_20260413111000300_01_1/main_document.xml";

const CDA: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><recordTarget><patientRole><id extension=\"0000000001\" root=\"1.2\"/><patient/></patientRole></recordTarget></ClinicalDocument>\n";

#[test]
fn documents_are_whole_and_of_their_patient() {
    let of = |path: &str, text: &str| codes(&[(path, text.as_bytes().to_vec())]);
    assert_eq!(of(DOCUMENT, CDA), Vec::<String>::new());
    assert_eq!(of(DOCUMENT, ""), ["HL7101"]);
    assert_eq!(of(DOCUMENT, "hello"), ["SSM172"]);
    assert_eq!(of(DOCUMENT, &CDA[..120]), ["SSM172"]);
    assert_eq!(
        of(DOCUMENT, &CDA.replace("0000000001", "0000000009")),
        ["SSM103"]
    );
    assert_eq!(
        of(DOCUMENT, &CDA.replace("0000000001", "1")),
        Vec::<String>::new()
    );
    assert_eq!(
        of(&DOCUMENT.replace("main_document", "doc"), CDA),
        ["SSM171"]
    );
    // The number that is not the folder's is where it stands.
    let other = CDA.replace("0000000001", "0000000009");
    let files = [(DOCUMENT.to_owned(), other.clone().into_bytes())];
    let found = found(Options::default(), &files);
    let span = found[0].span;
    let place = |n: u32| usize::try_from(n).unwrap();
    assert_eq!(&other[place(span.start)..place(span.end)], "0000000009");
}

#[test]
fn a_content_folder_has_one_main_document_beside_its_files() {
    let image = DOCUMENT.replace("main_document.xml", "img/a.png");
    let folder = [
        (DOCUMENT, CDA.as_bytes().to_vec()),
        (image.as_str(), b"\x89PNG".to_vec()),
    ];
    assert_eq!(codes(&folder), Vec::<String>::new());
    assert_eq!(codes(&folder[1..]), ["SSM171"]);
    let pdf = DOCUMENT.replace(".xml", ".pdf");
    assert_eq!(codes(&[(&pdf, b"%PDF-1.4".to_vec())]), Vec::<String>::new());
}
