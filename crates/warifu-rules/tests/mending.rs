//! What a fix may touch, and what it may not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod common;

use common::{ALL, files, found};
use warifu_diag::{Applicability, Diagnostic, Example};
use warifu_rules::fix::apply;
use warifu_source::{Charset, decode};

/// What a check of lines in a clean message of a kind finds, and the message after its safe fixes.
fn checked(kind: &'static str, lines: &'static str) -> (Vec<Diagnostic>, String) {
    mended(&files(&Example::Lines(kind, lines)))
}

fn mended(files: &[common::Owned]) -> (Vec<Diagnostic>, String) {
    let found = found(ALL, files);
    let fixed = apply(&files[0].1, 0, &found, false);
    let text = decode(&fixed.bytes, Charset::Iso2022Jp).text;
    (found, text)
}

fn codes(found: &[Diagnostic]) -> Vec<&'static str> {
    found.iter().map(|d| d.code.code).collect()
}

fn bytes(message: &[u8]) -> Vec<common::Owned> {
    vec![(String::new(), message.to_vec())]
}

fn of<'d>(found: &'d [Diagnostic], code: &str) -> Vec<&'d Diagnostic> {
    found.iter().filter(|d| d.code.code == code).collect()
}

/// A text that is the name of another code, in tables that have names of their own; names that hospitals give
/// are left alone, and so are those of codes that refine one another.
#[test]
fn texts_of_other_codes_are_told() {
    let told = |kind, lines| codes(&checked(kind, lines).0).contains(&"SSM315");
    for (kind, lines, want) in [
        (
            "OML-11",
            "SPM|1|||023^全血^JC10|||||||||||||202604010850",
            true,
        ),
        (
            "OML-11",
            "SPM|1|||023^血清（遠心後）^JC10|||||||||||||202604010850",
            false,
        ),
        (
            "OMP-01",
            "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|||||02^内科^HL70069",
            true,
        ),
        (
            "OMP-01",
            "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|||||011^内科^HL70069",
            false,
        ),
        (
            "OMP-01",
            "ORC|NW|000000000000001||1|||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I|||||02^こころの外来^HL70069",
            false,
        ),
        ("OML-01", "TQ1|1||||||202604010900||R^至急^HL70485", false),
        (
            "PPR-01",
            "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||D^回復中^HL70241",
            true,
        ),
        (
            "PPR-01",
            "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||F^死亡^HL70241",
            true,
        ),
        (
            "PPR-01",
            "PRB|UP|20260401093000|20061593^高血圧症^MDCDX2|PRB0001|||20260101||20260331|I10^高血圧症^I10||||F^回復^HL70241",
            false,
        ),
    ] {
        assert_eq!(told(kind, lines), want, "{lines}");
    }
}

/// OBX-6 of a result before and after, and the codes of units that tell of it.
fn unit(given: &'static str) -> (String, Vec<&'static str>) {
    let line = format!("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|{given}|||||F");
    let (found, text) = checked("OML-11", Box::leak(line.into_boxed_str()));
    let after = text
        .split('\r')
        .find(|l| l.starts_with("OBX|"))
        .and_then(|l| l.split('|').nth(6));
    let own = codes(&found).into_iter().filter(|c| c.starts_with("SSM44"));
    (after.unwrap().to_owned(), own.collect())
}

#[test]
fn units_of_other_systems_are_keys_of_their_tables() {
    for kept in [
        "MG^mg^MR9P",
        "ML^mL^MR9P",
        "G^g^MR9P",
        "KG^kg^MR9P",
        "MCG^ug^MR9P",
        "MEQ^meq^MR9P",
        "CM^cm^MR9P",
        "MOL^mol^MR9P",
        "mg/dl^mg/dl^99XYZ",
        "ｍｇ／ｄｌ^mg/dl^99XYZ",
    ] {
        assert_eq!(unit(kept), (kept.to_owned(), vec![]), "{kept}");
    }
    // Milli or mega: nobody can tell.
    assert_eq!(unit("mbq^mbq^ISO+").0, "mbq^mbq^ISO+");
}

#[test]
fn units_are_written_as_their_system_writes_them() {
    for (given, after) in [
        ("mg/dl^mg/dl^ISO+", "mg/dL^mg/dL^ISO+"),
        ("mg/dl^mg/dl", "mg/dL^mg/dL"),
        ("MG^MG^ISO+", "mg^mg^ISO+"),
        ("ｃｍ^ｃｍ^ISO+", "cm^cm^ISO+"),
        ("mg/dl^ｍｇ／ｄｌ^ISO+", "mg/dL^ｍｇ／ｄｌ^ISO+"),
        // Without a system they may be keys of MERIT-9.
        ("ＭＧ^ＭＧ", "ＭＧ^ＭＧ"),
        ("MG^MG", "MG^MG"),
        ("℃^℃^ISO+", "cel^℃^ISO+"),
        ("℃^℃^UCUM", "Cel^℃^UCUM"),
        ("U/l^U/l^ISO+", "u/L^u/L^ISO+"),
        ("U/l^U/l^UCUM", "U/L^U/L^UCUM"),
        ("10^3/ul", "10^3/ul"),
        ("10*3/ul^x^ISO+", ".10*3/uL^x^ISO+"),
        ("10*3/ul^x^UCUM", "10*3/uL^x^UCUM"),
        ("ＩＵ／Ｌ^IU/L^ISO+", "iu/L^IU/L^ISO+"),
        ("IU/L^IU/L^ISO+", "iu/L^iu/L^ISO+"),
    ] {
        assert_eq!(unit(given).0, after, "{given}");
    }
    for right in [
        "u^u^ISO+",
        "U/L^U/L^ISO+",
        "u/L^u/L^ISO+",
        "cel^℃^ISO+",
        ".10*3/uL^x^ISO+",
        "(hb)^拍/分^ISO+",
    ] {
        assert_eq!(unit(right).1, Vec::<&str>::new(), "{right}");
    }
    // What the text says is what the fix writes, and there is one fix for the bytes.
    let (found, _) = checked(
        "OML-11",
        "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|IU/l^IU/l^ISO+|||||F",
    );
    let own = of(&found, "SSM442")[0];
    assert_eq!(own.argument.as_deref(), Some("iu/L"));
    assert_eq!(own.fix().unwrap().edits[0].1, b"iu/L");
    let (found, _) = checked(
        "OML-11",
        "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|ｇ／ｄＬ^g/dL^ISO+|||||F",
    );
    assert_eq!(found.iter().filter(|d| d.fix().is_some()).count(), 1);
    assert!(of(&found, "SSM426").is_empty() && !of(&found, "SSM441").is_empty());
}

#[test]
fn kana_is_widened_in_texts_and_never_in_keys() {
    let kana = "\u{1b}(I6\u{1b}(B";
    let lines = |line: String| -> &'static str { Box::leak(line.into_boxed_str()) };
    for (kind, line, field, after) in [
        (
            "OML-11",
            "OBR|1|000000000000001||@^@^99TST|||202604010850|||||||||D01^@^一郎^^^^^^^L^^^^^I||||||20260401092000|||F",
            4,
            "ｶ^カ^99TST",
        ),
        (
            "ADT-00",
            "PID|1||0000000001^^^^PI||@^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F",
            5,
            "カ^花子^^^^^L^I~シケン^ハナコ^^^^^L^P",
        ),
        (
            "ADT-00",
            "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||@||20250401|20270331||||SEL^本人^HL70063",
            10,
            "ｶ",
        ),
        (
            "OML-11",
            "OBX|1|ST|3A010000002327101^総蛋白^JC10||@||||||F",
            5,
            "カ",
        ),
        (
            "OML-11",
            "OBX|1|CWE|3A010000002327101^総蛋白^JC10||@^@^99TST||||||F",
            5,
            "ｶ^カ^99TST",
        ),
        ("OMP-01", "TQ1|1||@&@&99TST|||7^d|20260401", 3, "ｶ&カ&99TST"),
        ("OML-11", "NTE|||@", 3, "カ"),
        ("OML-11", "ZZZ|@", 1, "ｶ"),
    ] {
        let name = &line[..3];
        let (found, text) = checked(kind, lines(line.replace('@', kana)));
        assert!(!of(&found, "ENC107").is_empty(), "{line}");
        let own = text.split('\r').find(|l| l.starts_with(name)).unwrap();
        assert_eq!(own.split('|').nth(field), Some(after), "{line}");
    }
}

#[test]
fn a_missing_last_terminator_warns_and_is_not_mended_unseen() {
    let mut files = files(&Example::Lines("OML-11", ""));
    let cut = files[0].1.len() - 30;
    files[0].1.truncate(cut);
    let whole = files[0].1.clone();
    let found = found(ALL, &files);
    let own = of(&found, "HL7106")[0];
    assert_eq!(own.severity, warifu_diag::Severity::Warning);
    assert_eq!(own.fix().unwrap().applicability, Applicability::Unsafe);
    assert_eq!(apply(&whole, 0, &found, false).bytes, whole);
    let all = apply(&whole, 0, &found, true);
    assert_eq!(all.bytes, [whole, b"\r".to_vec()].concat());
}

const HEAD: &str =
    "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|20260401093000.123||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87\r";

#[test]
fn msh_2_is_its_four_characters() {
    for (two, told) in [
        ("^~\\&", false),
        ("^~\\&amp;", true),
        ("^~\\&#", true),
        ("^~\\", true),
        ("^~\\& ", true),
        ("", true),
    ] {
        let message = HEAD.replace("^~\\&", two);
        let (found, _) = mended(&bytes(message.as_bytes()));
        let own = of(&found, "HL7107");
        assert_eq!(!own.is_empty(), told, "{two}");
        if let [d] = own[..] {
            let wanted = (4, 4 + u32::try_from(two.len()).unwrap());
            assert_eq!((d.span.start, d.span.end), wanted, "{two}");
        }
    }
}

#[test]
fn bytes_before_msh_are_told_and_removed() {
    for before in [" ", "\r\n", "\n", "\u{b}", "\r\u{b}", "  \r"] {
        for message in [HEAD.to_owned(), format!("{HEAD}{HEAD}")] {
            let file = format!("{before}{message}");
            let (found, text) = mended(&bytes(file.as_bytes()));
            let own = of(&found, "HL7105");
            assert_eq!(own.len(), 1, "{before:?} {:?}", codes(&found));
            let wanted = (0, u32::try_from(before.len()).unwrap());
            assert_eq!((own[0].span.start, own[0].span.end), wanted, "{before:?}");
            assert_eq!(text, message, "{before:?}");
        }
    }
}

#[test]
fn blanks_around_values_are_told() {
    let (found, text) = checked(
        "ADT-12",
        "PV1|1|O|01 ^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I  |||01||||||||||||||||||||||||||||||||||202604010900 ",
    );
    let own = of(&found, "HL7130");
    let places: Vec<_> = own.iter().map(|d| d.path.unwrap().to_string()).collect();
    assert_eq!(places, ["PV1-7.15", "PV1-44"]);
    assert!(text.contains("^I|||01|") && text.contains("202604010900\r"));
    // Blanks before a result are part of it (` 2 +`), those before a code are not.
    let (found, text) = checked(
        "OML-11",
        "OBX|1|ST| 3A010000002327101^総蛋白^JC10||  -||||||F\nOBX|2|ST| TP ^総蛋白^99TST||  2 +||||||F",
    );
    assert_eq!(of(&found, "SSM431").len(), 2, "{:?}", codes(&found));
    assert!(of(&found, "HL7130").is_empty());
    assert!(text.contains("|3A010000002327101^") && text.contains("| TP ^"));
    assert!(text.contains("|  -|") && text.contains("|  2 +|"));
}

#[test]
fn the_declaration_is_mended_with_its_scheme_and_stays_true() {
    let file = |msh: &str, text: &[u8]| {
        let head = HEAD.replace("|~ISO IR87", msh);
        [head.as_bytes(), b"NK1|1|", text, b"\r"].concat()
    };
    let after = |bytes: Vec<u8>| {
        let found = found(ALL, &[(String::new(), bytes.clone())]);
        let fixed = apply(&bytes, 0, &found, false).bytes;
        let text = String::from_utf8_lossy(&fixed).into_owned();
        (
            codes(&found),
            text.split('|')
                .skip(17)
                .take(3)
                .collect::<Vec<_>>()
                .join("|"),
        )
    };
    let utf8 = "試験".as_bytes();
    let (codes, head) = after(file("|~ISO IR87||ISO 2022-1994|", utf8));
    assert!(codes.contains(&"ENC116") && !codes.contains(&"SSM168"));
    assert_eq!(head, "UNICODE UTF-8||");
    let (codes, head) = after(file("|UNICODE UTF-8||ISO 2022-1994|", utf8));
    assert!(codes.contains(&"SSM168") && !codes.contains(&"SSM154"));
    assert_eq!(head, "UNICODE UTF-8||");
    // JIS X 0212 is there: that it is declared stays true.
    let supplementary = b"\x1b$(D0!\x1b(B";
    for (given, wanted) in [
        (
            "|~ISO IR87~ISO IR159||ISO 2022-1994|",
            "~ISO IR87~ISO IR159||ISO 2022-1994",
        ),
        (
            "|~ISOIR87~ISOIR159||ISO 2022-1994|",
            "~ISO IR87~ISO IR159||ISO 2022-1994",
        ),
    ] {
        assert_eq!(after(file(given, supplementary)).1, wanted);
    }
    let (_, head) = after(file(
        "|~ISO IR87~ISO IR159||ISO 2022-1994|",
        b"\x1b$B;n\x1b(B",
    ));
    assert_eq!(head, "~ISO IR87||ISO 2022-1994");
}

#[test]
fn what_is_no_message_is_told_as_that_alone() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x93\xfa\x96\x7b\n\xff".as_slice();
    for file in [
        png,
        b"# notes\n\nline | line\n",
        "議事録\n一行目\n".as_bytes(),
    ] {
        assert_eq!(codes(&mended(&bytes(file)).0), ["HL7102"]);
    }
}
