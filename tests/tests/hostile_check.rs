//! Ten megabytes made to hurt, through the whole check of a message (of segments the first 100,000 are read).
//!
//! A rule that looks back or ahead without bound, or weighs each pair of things, does not finish here.
//! Nothing is timed.

use warifu_rules::{Checker, File, Options};

const LENGTH: usize = 10_000_000;

fn head(kind: &str) -> String {
    format!(
        "MSH|^~\\&|HIS|H|GW|H|20260401103000||{kind}|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rPID|1||0000990001^^^^PI||A^B||19500101|M\r"
    )
}

fn path(kind: &str) -> String {
    format!(
        "000/099/0000990001/20260401/{kind}/0000990001_20260401_{kind}_000000260401011_20260401103000500_08_1"
    )
}

/// Checks a message of a kind that ends with a piece again and again; gives the codes that were found.
fn survives((data, kind): (&str, &str), begun: &str, piece: &str) -> Vec<&'static str> {
    let mut bytes = format!("{}{begun}", head(kind)).into_bytes();
    let room = LENGTH - bytes.len();
    bytes.extend(piece.bytes().cycle().take(room));
    found(data, &bytes)
}

/// The codes that are found in a file of a kind.
fn found(data: &str, bytes: &[u8]) -> Vec<&'static str> {
    let mut out = Vec::new();
    let path = path(data);
    let file = File { path: &path, bytes };
    Checker::new(Options::default()).check_file(file, 0, &mut out);
    let mut codes: Vec<_> = out.iter().map(|d| d.code.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

const LAB: (&str, &str) = ("OML-11", "OUL^R22^OUL_R22");
const ECG: (&str, &str) = ("OMG-13", "ORU^R01^ORU_R01");
const DRUG: (&str, &str) = ("OMP-01", "RDE^O11^RDE_O11");

#[test]
fn results_of_one_request_without_end() {
    let codes = survives(
        ECG,
        "ORC|SC|1\rOBR|1|1||A^B^C\r",
        "OBX|1|NM|A^B^C||1|g|||||F\r",
    );
    assert!(codes.contains(&"SSM206"), "{codes:?}");
    survives(
        ECG,
        "ORC|SC|1\rOBR|1|1||A^B^C\r",
        "OBX|1|NM|A^B^C|1|1\rOBX|2|NM|D\r",
    );
}

#[test]
fn requests_behind_a_long_way() {
    let begun = "NTE|1||x\r".repeat(50_000);
    survives(LAB, &begun, "OBR||1||A^B^C\r");
    survives(DRUG, "ORC|NW|1\r", "RXE||1^A^B|1||g\r");
    survives(DRUG, "ORC|NW|1\rRXE||1^A^B|1||g\r", "TQ1|||1^A^B\r");
}

/// Each message takes back some of its own findings, whatever was found in those before it.
#[test]
fn messages_without_end_each_with_an_escape_out_of_place() {
    let one = format!("{}NTE|1||\x1b$B3d^\x1b(B\r", head("ADT^A08^ADT_A01"));
    let bytes: Vec<u8> = one.bytes().cycle().take(one.len() * 30_000).collect();
    let mut out = Vec::new();
    Checker::new(Options::default()).check_stream(&bytes, 0, &mut out);
    assert!(out.len() > 30_000);
}

#[test]
fn texts_that_look_as_if_their_escapes_were_lost() {
    let nte = "NTE|1||";
    // Without an end, and with another beginning at every byte.
    survives(LAB, nte, "$B");
    survives(LAB, nte, "$B$");
    survives(LAB, nte, "$Ba");
    survives(LAB, nte, "$B!!");
    let codes = survives(LAB, nte, "$B0!(B");
    assert!(codes.contains(&"ENC120"), "{codes:?}");
    // With a return that nothing went before.
    survives(LAB, nte, "0!0!\u{1b}(B");
    survives(LAB, nte, "|0!0!");
    survives(LAB, nte, "\u{1b}(B");
}

#[test]
fn blanks_without_end() {
    let codes = survives(LAB, "NTE|1||", "x ~");
    assert!(codes.contains(&"HL7130"), "{codes:?}");
    survives(LAB, "NTE|1||", "~ ");
    survives(LAB, "NTE|1||x", " ");
    survives(LAB, "NTE|1||x ^", " x ^");
    survives(
        LAB,
        "ORC|SC|1\rOBR|1|1|1|A^B^C\r",
        "OBX|1|CWE| A^B^C|| x | \r",
    );
}

#[test]
fn half_width_kana_without_end() {
    let begun = "ORC|SC|1\rOBR|1|1|1|A^B^C\r";
    let codes = survives(LAB, begun, "OBX|1|ST|A^B^C||\u{1b}(I1\u{1b}(B\r");
    assert!(codes.contains(&"ENC107"), "{codes:?}");
    survives(LAB, "NTE|1||", "\u{1b}(I1\u{1b}(Bx~");
}

#[test]
fn separators_without_end() {
    for piece in ["|", "^", "~", "&", "\\", "\r"] {
        survives(LAB, "ORC|SC|1\rOBR|1|1|1|A^B^C\rOBX|1|ST|A^B^C||", piece);
    }
}

/// Where each piece has findings of its own, a hundred thousand bytes say as much.
#[test]
fn many_segments_and_messages() {
    for piece in ["ZZZ\r", "OBX|1|SN|A^B^C||>^1^-^2\r", "MSH|^~\\&\r"] {
        let begun = piece.repeat(100_000 / piece.len());
        let bytes = format!("{}{begun}", head(LAB.1));
        found(LAB.0, bytes.as_bytes());
    }
}
