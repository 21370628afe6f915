//! Files that are wrong in exactly one way each, and the table that says which.

use crate::jis::Jis;
use std::fmt::Write as _;

/// One malformed file.
#[derive(Debug, Clone)]
pub struct Case {
    /// Folder below `broken/`: a storage root with one file in it.
    pub slug: &'static str,
    /// Path below that root.
    pub path: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What is wrong.
    pub fault: &'static str,
    /// What a reader must still get out of it.
    pub remains: &'static str,
}

/// Path of the laboratory result that most cases spoil.
const RESULT: &str = "000/099/0000990001/20260402/OML-11/0000990001_20260402_OML-11_000000260402011_20260402103000500_08_1";

/// The laboratory result before it is spoilt, decoded, one segment a line.
const BASE: [&str; 10] = [
    "MSH|^~\\&|WRFHIS|WRF|SSMIX2GW|SSMIX2|20260402103000.500||OUL^R22^OUL_R22|20260402103000500|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO",
    "PID|0001||0000990001^^^^PI||割符^花子^^^^^L^I~ワリフ^ハナコ^^^^^L^P||19680303|F",
    "PV1|0001|O|08^^^^^C||||D0101^見立^一郎^^^^^^^L^^^^^I|||08",
    "SPM|1|26040200011||023^血清^JC10|||||||||||||202604020952",
    "OBR|1|000000260402011|000000000402011|E002^生化学的検査^99WRF|||202604020952|||||||||D0101^見立^一郎^^^^^^^L^^^^^I||||||20260402103000|||F",
    "ORC|SC|000000260402011|000000000402011||CM||||20260402093700|||D0101^見立^一郎^^^^^^^L^^^^^I|08^^^^^C||||08^循環器科^HL70069",
    "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1||||F|||202604020952",
    "OBX|2|NM|3H015000002326101^カリウム^JC10||4.1|meq/L^mEq/L^ISO+|3.6-4.8||||F|||202604020952",
    "OBX|3|NM|5C070000002306201^ＣＲＰ^JC10||0.05|mg/dL^mg/dL^ISO+|0.00-0.14||||F|||202604020952",
    "NTE|||軽度溶血、入院時採血と比較のこと",
];

/// Places of the segments in [`BASE`].
mod at {
    pub(super) const MSH: usize = 0;
    pub(super) const PID: usize = 1;
    pub(super) const OBR: usize = 4;
    pub(super) const OBX_1: usize = 6;
    pub(super) const OBX_2: usize = 7;
    pub(super) const NTE: usize = 9;
}

/// [`BASE`] with `from` replaced by `to` in one segment.
fn edited(segment: usize, from: &str, to: &str) -> Vec<String> {
    let mut lines: Vec<String> = BASE.iter().map(|&line| line.to_owned()).collect();
    if let Some(line) = lines.get_mut(segment) {
        debug_assert!(line.contains(from), "{from} is not in segment {segment}");
        *line = line.replacen(from, to, 1);
    }
    lines
}

/// [`BASE`] unchanged.
fn plain() -> Vec<String> {
    edited(at::MSH, "MSH", "MSH")
}

/// ISO-2022-JP; `end` closes each line.
fn iso(jis: &Jis, lines: &[String], end: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        let mut shifted = false;
        for c in line.chars().chain(end.chars()) {
            if let Some(pair) = jis.code(c) {
                if !shifted {
                    out.extend_from_slice(b"\x1b$B");
                    shifted = true;
                }
                out.extend_from_slice(&pair);
            } else {
                if shifted {
                    out.extend_from_slice(b"\x1b(B");
                    shifted = false;
                }
                out.extend(u8::try_from(c));
            }
        }
    }
    out
}

/// EUC-JP: the JIS bytes with the high bit set.
fn euc(jis: &Jis, lines: &[String]) -> Vec<u8> {
    multibyte(lines, |c| {
        jis.code(c)
            .map(|pair| pair.map(|byte| byte | 0x80).to_vec())
    })
}

/// CP932: the JIS bytes folded into `Shift_JIS`, with half-width kana and ① ㈱ of the vendor rows.
fn cp932(jis: &Jis, lines: &[String]) -> Vec<u8> {
    multibyte(lines, |c| match c {
        '①' => Some(vec![0x87, 0x40]),
        '㈱' => Some(vec![0x87, 0x8A]),
        '髙' => Some(vec![0xFB, 0xFC]),
        '｡'..='ﾟ' => u8::try_from(u32::from(c) - 0xFEC0)
            .ok()
            .map(|byte| vec![byte]),
        _ => jis.code(c).map(|[high, low]| {
            let (row, cell) = (high - 0x21, low - 0x21);
            let lead = row / 2 + if row < 62 { 0x81 } else { 0xC1 };
            let trail = if row % 2 == 1 {
                cell + 0x9F
            } else {
                cell + 0x40 + u8::from(cell >= 63)
            };
            vec![lead, trail]
        }),
    })
}

fn multibyte(lines: &[String], code: impl Fn(char) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        for c in line.chars() {
            match code(c) {
                Some(bytes) => out.extend(bytes),
                None => out.extend(u8::try_from(c)),
            }
        }
        out.push(b'\r');
    }
    out
}

/// The bytes with the first occurrence of `from` replaced by `to`.
fn spliced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let found = bytes.windows(from.len()).position(|window| window == from);
    debug_assert!(found.is_some(), "nothing to replace");
    let Some((head, tail)) = found.and_then(|start| bytes.split_at_checked(start)) else {
        return bytes.to_vec();
    };
    let rest = tail.get(from.len()..).unwrap_or_default();
    [head, to, rest].concat()
}

/// All cases, in the order of the table.
pub fn cases(jis: &Jis) -> Vec<Case> {
    let good = iso(jis, &plain(), "\r");
    let encoded = |lines: &[String]| iso(jis, lines, "\r");
    let geta = |marked: &[u8]| {
        // 〓 stands where the faulty bytes go.
        spliced(
            &encoded(&edited(
                at::NTE,
                "軽度溶血、入院時採血と比較のこと",
                "検体〓番",
            )),
            b"\x1b$B\x38\x21\x42\x4e\x22\x2e\x48\x56\x1b(B",
            marked,
        )
    };
    let mut all = Vec::new();
    let mut add = |slug, bytes, fault, remains| {
        all.push(Case {
            slug,
            path: RESULT.to_owned(),
            bytes,
            fault,
            remains,
        });
    };

    add(
        "unclosed-shift",
        spliced(&good, b"\x1b(B^JC10||7.2", b"^JC10||7.2"),
        "`ESC ( B` is missing after 総蛋白 in the first OBX: the double-byte state runs into the delimiters",
        "everything up to and including the code of that OBX; from its CR on everything again (two results, NTE)",
    );
    add(
        "unclosed-shift-at-end",
        good.get(..good.len().saturating_sub(4))
            .unwrap_or_default()
            .to_vec(),
        "the last NTE returns to ASCII nowhere, neither does the file end with CR",
        "all three results and the whole comment",
    );
    add(
        "lf-terminators",
        iso(jis, &plain(), "\n"),
        "segments end with LF",
        "everything",
    );
    add(
        "crlf-terminators",
        iso(jis, &plain(), "\r\n"),
        "segments end with CR LF",
        "everything",
    );
    add(
        "blank-lines",
        iso(jis, &plain(), "\r\r"),
        "an empty line after every segment",
        "everything",
    );
    add(
        "fs-trailer",
        [good.as_slice(), b"\x1c"].concat(),
        "the file ends with FS (0x1C), left over from the transport",
        "everything",
    );
    add(
        "no-last-cr",
        good.get(..good.len().saturating_sub(1))
            .unwrap_or_default()
            .to_vec(),
        "the last segment has no CR",
        "everything",
    );
    add(
        "half-width-kana",
        spliced(
            &encoded(&edited(at::PID, "ワリフ^ハナコ", "@^@")),
            b"@^@",
            b"\x1b(I\x5c\x58\x4c\x1b(B^\x1b(I\x4a\x45\x3a\x1b(B",
        ),
        "PID-5 kana in JIS X 0201 katakana (`ESC ( I`); one byte of ﾜ is the escape character `\\`",
        "everything, the name as ﾜﾘﾌ ﾊﾅｺ (or full width)",
    );
    add(
        "cp932",
        cp932(jis, &edited(at::NTE, "軽度溶血", "表示㈱①、髙木ｶﾅ軽度溶血")),
        "CP932 although MSH-18 says ISO-2022-JP; with ㈱ ① 髙, half-width kana, and 表 whose second byte is `\\`",
        "everything",
    );
    add(
        "utf-8",
        plain()
            .iter()
            .flat_map(|line| [line.as_bytes(), b"\r"].concat())
            .collect(),
        "UTF-8 although MSH-18 says ISO-2022-JP",
        "everything",
    );
    add(
        "euc-jp",
        euc(jis, &plain()),
        "EUC-JP although MSH-18 says ISO-2022-JP",
        "everything",
    );
    add(
        "nec-row-13",
        geta(b"\x1b$B\x2d\x21\x2d\x6a\x38\x21\x42\x4e\x1b(B"),
        "NEC row 13 characters (① ㈱) in double-byte text",
        "everything, ① and ㈱ by the Windows table",
    );
    add(
        "gaiji",
        geta(b"\x1b$B\x38\x21\x42\x4e\x75\x21\x48\x56\x1b(B"),
        "a user-defined character (0x7521) in the comment",
        "everything but that character (〓 or U+FFFD in its place)",
    );
    add(
        "jis-1978",
        {
            let mut bytes = good.clone();
            while bytes.windows(3).any(|window| window == b"\x1b$B") {
                bytes = spliced(&bytes, b"\x1b$B", b"\x1b$@");
            }
            bytes
        },
        "all double-byte text is announced as JIS C 6226-1978 (`ESC $ @`)",
        "everything",
    );
    add(
        "jis-roman",
        {
            let mut bytes = good.clone();
            while bytes.windows(3).any(|window| window == b"\x1b(B") {
                bytes = spliced(&bytes, b"\x1b(B", b"\x1b(J");
            }
            bytes
        },
        "the return is to JIS X 0201 Roman (`ESC ( J`), where 5C is ¥ and 7E is ‾: delimiters still",
        "everything",
    );
    add(
        "supplementary-kanji",
        geta(b"\x1b$B\x38\x21\x42\x4e\x1b$(D\x30\x21\x1b$B\x48\x56\x1b(B"),
        "a JIS X 0212 character (`ESC $ ( D`), which SS-MIX2 does not allow",
        "everything, 丂 included",
    );
    add(
        "empty-shift",
        spliced(&good, b"4.1|", b"\x1b$B\x1b(B4.1\x1b(B|"),
        "escape sequences with nothing between them inside a number",
        "everything, potassium is 4.1",
    );
    add(
        "unknown-shift",
        spliced(&good, b"4.1|", b"4.1\x1b%G|"),
        "an escape sequence nobody defined here (`ESC % G`)",
        "everything, potassium is 4.1",
    );
    add(
        "empty-file",
        Vec::new(),
        "0 bytes",
        "nothing; the file is counted",
    );
    add(
        "two-bytes",
        vec![0xFB, 0xFC],
        "two bytes that are no message",
        "nothing; the file is counted",
    );
    add(
        "no-msh",
        encoded(plain().get(1..).unwrap_or_default()),
        "MSH is missing",
        "nothing needs to be converted; the segments may be shown",
    );
    add(
        "two-messages",
        [good.as_slice(), good.as_slice()].concat(),
        "a second MSH starts in the middle of the file",
        "the first message",
    );
    add(
        "wrong-patient",
        encoded(&edited(at::PID, "0000990001", "0000990002")),
        "PID-3 names another patient than the folder",
        "everything, as a person of its own (SSM103); merged with neither",
    );
    add(
        "patient-without-zeros",
        encoded(&edited(at::PID, "0000990001", "990001")),
        "PID-3 without the leading zeros of the folder",
        "everything; the same patient",
    );
    add(
        "wrong-event",
        encoded(&edited(at::MSH, "OUL^R22^OUL_R22", "ADT^A01^ADT_A01")),
        "MSH-9 is ADT^A01 in an OML-11 folder",
        "everything; the kind of the folder decides",
    );
    add(
        "jlac10-15-digits",
        encoded(&edited(at::OBX_1, "3A010000002327101", "3A0100000023271")),
        "JLAC10 of 15 digits in a result",
        "everything; the code as local text",
    );
    add(
        "jlac10-hyphens",
        encoded(&edited(at::OBX_1, "3A010000002327101", "3A0100000023---01")),
        "JLAC10 with hyphens for the method",
        "everything; the code as local text",
    );
    add(
        "bad-birth-date",
        encoded(&edited(at::PID, "19680303", "19681399")),
        "PID-7 is no date (month 13)",
        "everything but the birth date",
    );
    add(
        "bad-collection-time",
        encoded(&edited(3, "202604020952", "99999999")),
        "SPM-17 is 99999999",
        "everything but the collection time; OBX-14 still has one",
    );
    add(
        "hour-25",
        encoded(&edited(at::OBX_1, "202604020952", "202604022552")),
        "OBX-14 has hour 25",
        "everything; the moment is 01:52 of the next day",
    );
    add(
        "care-date-differs",
        encoded(&edited(3, "202604020952", "202604010952")),
        "SPM-17 is the day before the care date of the folder",
        "everything, with the date of the message",
    );
    add(
        "text-in-nm",
        encoded(&edited(at::OBX_2, "||4.1|", "||検体不良|")),
        "text in a numeric result (OBX-2 NM)",
        "everything; potassium as text",
    );
    add(
        "comparator-in-nm",
        encoded(&edited(at::OBX_2, "||4.1|", "||１０．０以上|")),
        "full-width digits and 以上 in a numeric result",
        "everything; potassium ≥ 10.0",
    );
    add(
        "raw-line-break",
        spliced(
            &encoded(&edited(at::NTE, "、入院時", "@入院時")),
            b"\x1b(B@\x1b$B",
            b"\x1b(B\r\x1b$B",
        ),
        "a raw CR inside the comment of NTE-3",
        "everything; the second line belongs to the comment",
    );
    add(
        "unknown-segment",
        {
            let mut lines = plain();
            lines.insert(at::OBR, "ZXX|1|独自セグメント^割符|2".to_owned());
            encoded(&lines)
        },
        "a segment ZXX that no table knows",
        "everything; ZXX is kept and counted",
    );
    add(
        "segment-order",
        {
            let mut lines = plain();
            lines.swap(at::OBR, at::OBX_1);
            encoded(&lines)
        },
        "an OBX stands before the OBR and the OBR after the ORC",
        "patient, specimen and all three results",
    );
    add(
        "bare-segments",
        {
            let mut lines = plain();
            for line in lines.iter_mut().skip(2) {
                line.truncate(3);
            }
            encoded(&lines)
        },
        "from PV1 on the segments have names and no fields",
        "the patient",
    );
    add(
        "truncated",
        {
            let cut = good
                .windows(7)
                .position(|window| window == b"OBX|2|N")
                .unwrap_or_default();
            let within_kanji = good
                .iter()
                .skip(cut)
                .position(|byte| *byte == 0x1B)
                .unwrap_or_default();
            good.get(..cut + within_kanji + 4)
                .unwrap_or_default()
                .to_vec()
        },
        "the file ends inside a double-byte character of the second OBX",
        "the first result and the code of the second",
    );
    add(
        "unknown-escape",
        encoded(&edited(at::NTE, "軽度溶血", "\\Q9\\ m\\S\\2 軽度溶血 \\F")),
        "an unknown escape sequence `\\Q9\\` and an unclosed `\\F` in the comment",
        "everything; the unknown ones as they stand, `m\\S\\2` as m^2",
    );
    add(
        "other-delimiters",
        {
            let lines: Vec<String> = plain().iter().map(|line| line.replace('^', "@")).collect();
            encoded(&lines)
        },
        "MSH-2 declares `@` as component separator, and the message uses it",
        "everything",
    );
    add(
        "null-and-empty",
        encoded(&edited(at::PID, "||19680303|F", "||\"\"|\"\"|^^^")),
        "explicit nulls (`\"\"`) for birth date and sex, a field of separators only",
        "everything else; no birth date, sex unknown",
    );
    add(
        "charset-name",
        encoded(&edited(
            at::MSH,
            "~ISO IR87||ISO 2022-1994",
            "~ISOIR87||ISO2022-1994",
        )),
        "the blank is missing in MSH-18 and MSH-20",
        "everything",
    );

    // Faults of the name.
    let mut add_at = |slug, path: &str, fault, remains| {
        all.push(Case {
            slug,
            path: path.to_owned(),
            bytes: good.clone(),
            fault,
            remains,
        });
    };
    add_at(
        "name-date-differs",
        "000/099/0000990001/20260402/OML-11/0000990001_20260403_OML-11_000000260402011_20260402103000500_08_1",
        "the date in the file name is not that of its folder",
        "everything",
    );
    add_at(
        "name-short-timestamp",
        "000/099/0000990001/20260402/OML-11/0000990001_20260402_OML-11_0000260402011_202604021030005_08_1",
        "order number of 13 and timestamp of 15 digits",
        "everything",
    );
    add_at(
        "name-flag-9",
        "000/099/0000990001/20260402/OML-11/0000990001_20260402_OML-11_000000260402011_20260402103000500_08_9",
        "condition flag 9 does not exist",
        "nothing need be converted; the file is named in the report",
    );
    add_at(
        "foreign-file",
        "000/099/0000990001/20260402/OML-11/Thumbs.db",
        "the name fits no grammar",
        "nothing; the file is skipped",
    );
    all
}

/// `broken/README.md` and every case, `(path below broken/, bytes)`.
pub fn files(jis: &Jis) -> Vec<(String, Vec<u8>)> {
    let mut readme = String::from(
        "# Files that are wrong in one way each\n\n\
         Written by `cargo run -p warifu-synth -- fixtures DIR`; the table comes from the same source as the files.\n\
         Every folder is a standard storage with one file.\n\n\
         | folder | fault | what a reader must still extract |\n|---|---|---|\n",
    );
    let mut out = Vec::new();
    for case in cases(jis) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            readme,
            "| `{}` | {} | {} |",
            case.slug, case.fault, case.remains
        );
        out.push((format!("{}/{}", case.slug, case.path), case.bytes));
    }
    out.push(("README.md".to_owned(), readme.into_bytes()));
    out
}
