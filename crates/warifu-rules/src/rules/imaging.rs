//! `SSM70x`: examinations (IPC, ZE1, JJ1017).

use warifu_diag::Example::Lines;
use warifu_hl7::{Part, Segment};
use warifu_ssmix2::DataKind as K;

use crate::cx::Cx;
use crate::rule::{Check, field, message, segment};

pub(crate) const CHECKS: &[Check] = &[
    field("IPC", 1, accession),
    field("IPC", 3, study),
    field("IPC", 5, modality),
    field("OBR", 4, procedure),
    segment("ZE1", performed),
    message(children),
];

warifu_diag::codes! {
    SSM701 = "SSM701" "study-uid" Error { "検査インスタンス UID (IPC-3) が DICOM の UID の形ではありません", "the study instance UID (IPC-3) does not have the form of a DICOM UID", "数字と点だけ、64 文字以内の UID を書いてください", "use digits and dots, at most 64 characters", "DICOM PS3.5 §9.1; SS-MIX2 IPC-3";
        "画像を呼び出せません。", "The images cannot be retrieved.";
        Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.abc||CR^^DCM") => Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") }
    SSM702 = "SSM702" "modality" Warning { "モダリティ (IPC-5) が DICOM の値ではありません", "the modality (IPC-5) is no value of DICOM", "CR・CT・MR・US・ES などを書いてください", "write CR, CT, MR, US, ES …", "DICOM PS3.16 CID 29; SS-MIX2 IPC-5";
        "検査の種類で画像を探せません。", "Images cannot be searched by modality.";
        Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.200250.1.2.3||XRAY^^DCM") => Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") }
    SSM703 = "SSM703" "accession-number-long" Warning { "受付番号 (IPC-1) が 16 文字を超えています", "the accession number (IPC-1) is longer than 16 characters", "DICOM と同じ 16 文字以内の番号を書いてください", "use the 16 characters of DICOM", "DICOM (0008,0050) SH; SS-MIX2 IPC-1";
        "DICOM の受付番号と一致せず、画像と結び付きません。", "It cannot equal DICOM's accession number.";
        Lines("OMG-11", "IPC|A0000000000000001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") => Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") }
    SSM704 = "SSM704" "performed-without-procedure" Info { "実施の子オーダ (CH) に手技 (ZE1) がありません", "a performed child order (CH) without a procedure (ZE1)", "実施した手技を ZE1 に書いてください", "write what was done into ZE1", "SS-MIX2 OMI^Z23 (ZE1)";
        "何を実施したか分かりません。", "It does not say what was done.";
        Lines("OMG-11", "ORC|NW|000000000000001|||CM||||20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017|||202604010850\nIPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM\nORC|CH|000000000000002|||CM|||000000000000001|20260401090000|||D01^見立^一郎^^^^^^^L^^^^^I\nTQ1|1||||||||R^ルーチン^HL70485\nOBR||000000000000002||10000002000202000000030000000000^胸部^JJ1017|||202604010850\nIPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") => Lines("OMG-11", "IPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") }
    SSM705 = "SSM705" "jj1017-length" Warning { "JJ1017 コードが 16 桁でも 32 桁でもありません", "a JJ1017 code has neither 16 nor 32 characters", "前半 16 桁 (必要なら後半も) を書いてください", "write the first 16 characters, and the second 16 if needed", "JJ1017 指針; SS-MIX2 OBR-4";
        "部位や体位の桁がずれて読まれます。", "Body site and position are read from the wrong digits.";
        Lines("OMG-01", "OBR||000000000000001||10000002^胸部^JJ1017") => Lines("OMG-01", "OBR||000000000000001||1000000000000000^Ｘ線単純撮影^JJ1017") }
    SSM706 = "SSM706" "procedure-control-unknown" Info { "ZE1-2 が予定 (YT) か実施 (RS) か分かりません", "ZE1-2 says neither planned nor performed", "仕様書の制御コードを書いてください", "use the control codes of the specification", "SS-MIX2 ZE1-2";
        "予定を実施として数えるおそれがあります。", "A plan may count as done.";
        Lines("OMG-11", "ZE1|1|済|1000000000000000^Ｘ線単純撮影^JJ1017|1\nIPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") => Lines("OMG-11", "ZE1|1|RS|1000000000000000^Ｘ線単純撮影^JJ1017|1\nIPC|A0001|RP0001|1.2.392.200250.1.2.3||CR^^DCM") }
}

/// Modalities of DICOM (CID 29, with those that photographs and reports carry).
const MODALITIES: &[&str] = &[
    "AR", "AU", "BDUS", "BI", "BMD", "CR", "CT", "DG", "DMS", "DOC", "DX", "ECG", "EEG", "EMG",
    "EPS", "ES", "FA", "FS", "GM", "HC", "HD", "IO", "IVOCT", "IVUS", "KER", "KO", "LS", "LEN",
    "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPV", "OT", "PR", "PT", "PX", "RESP",
    "REG", "RF", "RG", "RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT", "SC", "SEG", "SM",
    "SR", "TG", "US", "VA", "XA", "XC",
];

fn study<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let uid = at.value().trimmed().text;
    let component = |c: &str| {
        !c.is_empty() && c.bytes().all(|b| b.is_ascii_digit()) && (c == "0" || !c.starts_with('0'))
    };
    if uid.len() > 64 || !uid.contains('.') || !uid.split('.').all(component) {
        cx.report(&SSM701, at);
    }
}

fn modality<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    let code = at.value().trimmed().text;
    if !code.is_empty() && !MODALITIES.contains(&code) {
        cx.report(&SSM702, at.comp(1));
    }
}

fn accession<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    if at.value().trimmed().text.chars().count() > 16 {
        cx.report(&SSM703, at);
    }
}

fn procedure<'m>(cx: &mut Cx<'m, '_>, at: Part<'m>) {
    for (code, system) in [(1, 3), (4, 6)] {
        let text = at.comp(code).value().trimmed().text;
        let system = at.comp(system).value().trimmed().text;
        if super::coding::PROCEDURES.contains(&system)
            && !text.is_empty()
            && !matches!(text.len(), 16 | 32)
        {
            cx.report(&SSM705, at.comp(code));
        }
    }
}

fn performed<'m>(cx: &mut Cx<'m, '_>, ze1: Segment<'m>) {
    let two = ze1.field(2);
    let control = two.value().trimmed().text;
    // Planned and performed; control codes of orders are met as well.
    let known = matches!(control, "YT" | "RS") || super::tables::has("0119", control);
    if !control.is_empty() && !known {
        cx.report(&SSM706, two);
    }
}

fn children(cx: &mut Cx<'_, '_>) {
    if !cx.is(&[K::Omg11, K::Omg12]) {
        return;
    }
    let mut open: Option<Segment<'_>> = None;
    let mut lacking = Vec::new();
    for segment in cx.message.segments() {
        match &segment.name() {
            b"ORC" => {
                lacking.extend(open.take());
                if segment.field(1).value().trimmed().text == "CH" {
                    open = Some(segment);
                }
            }
            b"ZE1" => open = None,
            _ => {}
        }
    }
    lacking.extend(open);
    for orc in lacking {
        cx.report_segment(&SSM704, orc, None);
    }
}
