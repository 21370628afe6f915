//! Clean messages of every kind, and how the examples of the pages become files.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by several tests, which may fail loudly"
)]

use warifu_diag::{Diagnostic, Example};
use warifu_rules::{Checker, File, Options};
use warifu_source::{Charset, Encoder};
use warifu_ssmix2::{DataKind, FileName, Kind, components};

/// The head of every message; `{E}` type and event, `{T}` time, `{P}` patient, `{C}` patient class.
const HEAD: &str = "MSH|^~\\&|HIS|HOSP|GW|SSMIX2|{M}||{E}|{I}|P|2.5||||||~ISO IR87||ISO 2022-1994|SS-MIX2_1.20^SS-MIX2^1.2.392.200250.2.1.100.1.2.120^ISO";
const EVN: &str = "EVN||{D}090000|||C01^受付^花代^^^^^^^L^^^^^I|{D}0900|HOSP";
const PID: &str = "PID|1||{P}^^^^PI||試験^花子^^^^^L^I~シケン^ハナコ^^^^^L^P||19680303|F|||^^^^100-0001^JPN^H^東京都千代田区千代田１−１||^PRN^PH^^^^^^^^^03-0000-0000|^WPN^PH^^^^^^^^^03-0000-0001";
const PV1_OUT: &str = "PV1|1|O|01^^^^^C||||D01^見立^一郎^^^^^^^L^^^^^I|||01";
const PV1_IN: &str = "PV1|1|I|3E^301^1^^^N||||D01^見立^一郎^^^^^^^L^^^^^I|||01";
const ORC: &str = "ORC|{W}|{O}||{G}|{S}||||{D}090000|C01^受付^花代^^^^^^^L^^^^^I||D01^見立^一郎^^^^^^^L^^^^^I|01^^^^^C||||01^内科^HL70069||||||||||||{C}^{CJ}オーダ^HL70482";
const OBR: &str = "OBR|1|{O}||E002^生化学的検査^99TST|||{D}0850|||||||||D01^見立^一郎^^^^^^^L^^^^^I||||||{D}092000|||F";

/// The clean message of a kind, one segment a line.
pub fn clean(kind: DataKind, patient: &str, date: &str, order: &str, stamp: &str) -> String {
    use DataKind as K;
    let adt = |event: &str, structure: &str, rest: &[&str]| {
        let mut lines = vec![HEAD.replace("{E}", &format!("ADT^{event}^ADT_{structure}"))];
        // A planned event has not happened: EVN-3 in place of EVN-6.
        let planned = matches!(event, "A14" | "A15" | "A16");
        let evn = EVN.replace("|{D}0900|HOSP", "||HOSP");
        lines.push(if planned {
            evn.replace("{D}090000||", "{D}090000|{D}0900|")
        } else {
            EVN.to_owned()
        });
        lines.push(PID.to_owned());
        lines.extend(rest.iter().map(|l| (*l).to_owned()));
        lines
    };
    let order_of = |event: &str, pv1: &str, rest: &[&str]| {
        let structure = event.replace('^', "_");
        let mut lines = vec![HEAD.replace("{E}", &format!("{event}^{structure}"))];
        lines.push(PID.to_owned());
        lines.push(pv1.to_owned());
        lines.extend(rest.iter().map(|l| (*l).to_owned()));
        lines
    };
    let admitted = format!("{PV1_IN}{}{{D}}0900", "|".repeat(34));
    let discharged = format!(
        "{PV1_IN}{}01{}{{A}}0900|{{D}}0900",
        "|".repeat(26),
        "|".repeat(8)
    );
    let arrived = format!("{PV1_OUT}{}{{D}}0900", "|".repeat(34));
    let planned_in = "PV2|3E^301^1^^^N|||||||{D}";
    let planned_out = "PV2|||||||||{D}";
    let nw = ORC.replace("{W}", "NW");
    let sc = ORC.replace("{W}", "SC").replace("{S}", "CM");
    let rp = nw.replace("{G}", "1");
    let injection = nw.replace("{G}", "{O}_01_001");
    let routine = "TQ1|1||||||||R^ルーチン^HL70485";
    let xray = "OBR||{O}||1000000000000000^Ｘ線単純撮影^JJ1017|||{D}0850|||||||||D01^見立^一郎^^^^^^^L^^^^^I";
    let endoscopy = "OBR||{O}||E100^上部内視鏡^99TST|||{D}0850|||||||||D01^見立^一郎^^^^^^^L^^^^^I";
    let ecg = "OBR|1|{O}||9A110000000000000^心電図^99TST|||{D}0850|||||||||D01^見立^一郎^^^^^^^L^^^^^I|||||||||F";
    let ipc = "IPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM";
    let tablet = "RXE||100000101^試験錠^HOT9|1||TAB^錠^MR9P|TAB^錠剤^MR9P||||7|TAB^錠^MR9P||||||||1^TAB&錠&MR9P";
    let usage = "TQ1|1||1011000400000000&内服・経口・１日１回朝食後&JAMISDP01|||7^d|{D}";
    let ampoule = "RXC|B|100000201^試験注^HOT9|1|AMP^アンプル^MR9P";
    let lines = match kind {
        K::Adt00 => adt(
            "A08",
            "A01",
            &[
                "NK1|1|試験^太郎^^^^^L^I~シケン^タロウ^^^^^L^P|SPO^配偶者^HL70063",
                PV1_OUT,
                "DB1|1|PT||N",
                "OBX|1|NM|9N001000000000001^身長^JC10||158.4|cm^cm^ISO+|||||F",
                "AL1|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY",
                "IN1|1|C0^国民健康保険^JHSD0001|138057|||||||割符０１・２３４５６７||20250401|20270331||MI||SEL^本人^HL70063",
            ],
        ),
        K::Adt01 => adt("A54", "A54", &[PV1_IN]),
        K::Adt12 => adt("A04", "A01", &[&arrived]),
        K::Adt21 => adt("A14", "A05", &[PV1_IN, planned_in]),
        K::Adt22 => adt("A01", "A01", &[&admitted]),
        K::Adt31 => adt("A21", "A21", &[PV1_IN]),
        K::Adt32 => adt("A22", "A21", &[PV1_IN]),
        K::Adt41 => adt("A15", "A15", &[PV1_IN, planned_in]),
        K::Adt42 => adt("A02", "A02", &[PV1_IN]),
        K::Adt51 => adt("A16", "A16", &[PV1_IN, planned_out]),
        K::Adt52 => adt("A03", "A03", &[&discharged]),
        K::Adt61 => adt(
            "A60",
            "A60",
            &[
                PV1_OUT,
                "IAM|1|FA^食物アレルギー^HL70127|J9FC11310000^さば^J-FAGY|MO^中等度^HL70128||A^追加^HL70323|AL0001",
            ],
        ),
        K::Ppr01 => order_of(
            "PPR^ZD1",
            PV1_OUT,
            &[
                "PRB|AD|{D}090000|20061593^高血圧症^MDCDX2|PRB0001|||{D}|||I10^高血圧症^I10^O^外来時^JHSD0004",
                "ZPR||20061593^高血圧症^MDCDX2",
            ],
        ),
        K::Omd => order_of(
            "OMD^O03",
            PV1_IN,
            &[
                &nw,
                "TQ1|1||TID&１日３回&HL70335||||{D}1200",
                "ODS|D||E001^常食^99TST",
            ],
        ),
        K::Omp01 => order_of(
            "RDE^O11",
            PV1_OUT,
            &[&rp, tablet, usage, "RXR|PO^口^HL70162"],
        ),
        K::Omp11 => order_of(
            "RAS^O17",
            PV1_IN,
            &[
                &rp,
                "RXA|0|1|{D}090000|{D}090000|100000101^試験錠^HOT9|1|TAB^錠^MR9P|||||||||||||CP",
                "RXR|PO^口^HL70162",
            ],
        ),
        K::Omp02 => order_of(
            "RDE^O11",
            PV1_IN,
            &[
                &injection,
                "RXE||00^一般^JHSI0002|100||ML^mL^MR9P|INJ^注射剤^MR9P",
                "TQ1|1||||||{D}1100|{D}1300",
                "RXR|IV^静脈内^HL70162||IVS^点滴溶剤セット^HL70164",
                ampoule,
            ],
        ),
        K::Omp12 => order_of(
            "RAS^O17",
            PV1_IN,
            &[
                &injection,
                "RXA|0|1|{D}090000|{D}091000|100000201^試験注^HOT9|1|AMP^アンプル^MR9P|||||102ml/hr||||||||CP",
                "RXR|IV^静脈内^HL70162",
            ],
        ),
        K::Oml01 => order_of(
            "OML^O33",
            PV1_OUT,
            &[
                "SPM|1|||023^血清^JC10|||||||||||||{D}0850",
                &nw,
                "TQ1|1||||||{D}0850||R^ルーチン^HL70485",
                "OBR|1|{O}||E002^生化学的検査^99TST",
                "OBX|1||3A0100000023271^総蛋白^JC10||||||||O",
            ],
        ),
        K::Oml11 => order_of(
            "OUL^R22",
            PV1_OUT,
            &[
                "SPM|1|S0001||023^血清^JC10|||||||||||||{D}0850",
                OBR,
                &sc,
                "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|g/dL^g/dL^ISO+|6.6-8.1||||F|||{D}0850",
                "NTE|||軽度溶血",
            ],
        ),
        K::Omg01 => order_of("OMG^O19", PV1_OUT, &[&nw, routine, xray]),
        K::Omg02 => order_of("OMG^O19", PV1_OUT, &[&nw, routine, endoscopy]),
        K::Omg03 => order_of("OMG^O19", PV1_OUT, &[&nw, routine, ecg]),
        K::Omg11 => order_of("OMI^Z23", PV1_OUT, &[&nw, routine, xray, ipc]),
        K::Omg12 => order_of("OMI^Z23", PV1_OUT, &[&nw, routine, endoscopy, ipc]),
        K::Omg13 => order_of(
            "ORU^R01",
            PV1_OUT,
            &[
                &nw,
                ecg,
                routine,
                "OBX|1|ST|9A110000000000000^心電図^99TST|1|異常なし||||||F",
            ],
        ),
    };
    let class = if lines.iter().any(|l| l.starts_with("PV1|1|I")) {
        ("I", "入院患者")
    } else {
        ("O", "外来患者")
    };
    let day = if date.len() == 8 { date } else { "20260401" };
    let message = format!("{}.{}", &stamp[..14], &stamp[14..]);
    lines
        .join("\n")
        .replace("{M}", &message)
        .replace(
            "{I}",
            &format!(
                "{stamp}{}",
                kind.code()
                    .replace(['-', 'A', 'D', 'T', 'O', 'M', 'P', 'R'], "")
            ),
        )
        .replace("{A}", "20260401")
        .replace("{D}", day)
        .replace("{P}", patient)
        .replace(
            "{O}",
            if order == warifu_ssmix2::NO_ORDER {
                "000000000000001"
            } else {
                order
            },
        )
        .replace("{G}", "")
        .replace("{S}", "")
        .replace("{CJ}", class.1)
        .replace("{C}", class.0)
}

/// Puts lines into a message: they take the place of all lines of the same names, as a block where the
/// first of these stood (at the end when there was none).
pub fn patched(message: &str, lines: &str) -> String {
    if lines.is_empty() {
        return message.to_owned();
    }
    let name = |l: &str| l.get(..3).unwrap_or("").to_owned();
    let is_segment = |l: &str| l.len() == 3 || l.as_bytes().get(3) == Some(&b'|');
    let names: Vec<String> = lines.lines().filter(|l| is_segment(l)).map(name).collect();
    let mut out = Vec::new();
    let mut placed = false;
    for line in message.lines() {
        if names.contains(&name(line)) {
            if !placed {
                out.extend(lines.lines());
                placed = true;
            }
        } else {
            out.push(line);
        }
    }
    if !placed {
        out.extend(lines.lines());
    }
    out.join("\n")
}

/// ISO-2022-JP with CR; what is ASCII (escape sequences, too) stays.
pub fn encoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let lost = Encoder::standard().encode(text, Charset::Iso2022Jp, &mut out);
    assert!(lost.is_empty(), "not in JIS X 0208: {text}");
    for byte in &mut out {
        if *byte == b'\n' {
            *byte = b'\r';
        }
    }
    out.push(b'\r');
    out
}

/// Storage path of a kind's clean message.
pub fn path_of(kind: DataKind) -> String {
    let code = kind.code();
    let date = if kind.is_dateless() { "-" } else { "20260401" };
    let order = if code.starts_with("ADT") || kind == DataKind::Ppr01 {
        warifu_ssmix2::NO_ORDER
    } else {
        "000000000000001"
    };
    let department = if kind.is_dateless() { "-" } else { "01" };
    format!(
        "000/000/0000000001/{date}/{code}/0000000001_{date}_{code}_{order}_20260401093000123_{department}_1"
    )
}

/// A file: its path and its bytes.
pub type Owned = (String, Vec<u8>);

fn stored(path: &str, lines: &str) -> Owned {
    let leaf = components(path).find(|p| FileName::parse(p).is_ok());
    let name = leaf.and_then(|l| FileName::parse(l).ok());
    let kind = name.and_then(|n| Kind::of(n.kind).standard());
    let bytes = match (name, kind) {
        (Some(n), Some(kind)) => {
            let stamp = String::from_utf8(n.timestamp.padded().to_vec()).unwrap();
            let order = if n.order.is_empty() { "0000" } else { n.order };
            let day = if n.date == "-" { "-" } else { n.date };
            encoded(&patched(&clean(kind, n.patient, day, order, &stamp), lines))
        }
        // A document of the extended storage.
        _ if lines.is_empty() => b"<x/>".to_vec(),
        _ => lines.as_bytes().to_vec(),
    };
    (path.to_owned(), bytes)
}

/// The files of an example.
pub fn files(example: &Example) -> Vec<Owned> {
    match example {
        // Those of the walk are run by the test of its crate.
        Example::None | Example::Options(_) | Example::Storage(_) => Vec::new(),
        Example::Path(path) => vec![stored(path, "")],
        Example::Lines(kind, lines) => {
            let kind = DataKind::from_code(kind).unwrap();
            vec![stored(&path_of(kind), lines)]
        }
        Example::Message(text) => vec![(String::new(), encoded(text))],
        Example::Bytes(bytes) => vec![(String::new(), bytes.to_vec())],
        Example::Files(files) => files.iter().map(|(p, l)| stored(p, l)).collect(),
        // Those of the validator, which its own test runs.
        Example::Json(..) | Example::Profiled(_) => unreachable!("an example of FHIR"),
    }
}

/// What the checker finds in files.
pub fn found(options: Options, files: &[Owned]) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let files: Vec<File<'_>> = files
        .iter()
        .map(|(path, bytes)| File { path, bytes })
        .collect();
    Checker::new(options).check_patient(&files, &mut out);
    out
}

/// Everything on.
pub const ALL: Options = Options {
    profiles: warifu_rules::Profiles {
        nho: true,
        strict: true,
    },
    preview: true,
};
