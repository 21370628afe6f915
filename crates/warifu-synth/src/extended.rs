//! The extended storage (拡張ストレージ) of the story: vital signs and CDA R2 documents.

use crate::codes::{Amount, Lab, lab};
use crate::hl7::Message;
use crate::jis::Jis;
use crate::kinds::{DISCHARGE_SUMMARY, PROGRESS_NOTE, REFERRAL, VITAL_SIGNS};
use crate::messages::obx;
use crate::pdf;
use crate::people::{
    CARDIO, HOSPITAL, INSTITUTION, INTERNAL, KAGAMI, MIMAMORI, MITATE, MONSHIN, WARD_4W, hanako,
    jiro,
};
use crate::record::{Code, Patient, Place, Sex, Staff, Visit};
use crate::segments::{Edition, Order, msh, orc, pid, pv1};
use crate::storage::{INDEX_HEADER, Item, push_index_row};
use crate::time::Stamp;
use std::fmt::Write as _;

/// One content folder (コンテンツフォルダ): an item, its flag and the files in it.
#[derive(Debug, Clone)]
pub struct Content {
    /// Whose, when, what.
    pub item: Item,
    /// Timestamp of the folder name.
    pub written: Stamp,
    /// Department part; empty: left out, as many modules do.
    pub department: &'static str,
    /// Condition flag.
    pub flag: char,
    /// File name and bytes, main document first.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

impl Content {
    /// Name of the content folder.
    pub fn name(&self) -> String {
        format!(
            "{}_{}",
            self.item.stem(self.written, self.department),
            self.flag
        )
    }
}

/// Every content folder of the bundled extended storage.
pub fn contents(jis: &Jis) -> Vec<Content> {
    let mut all = Vec::new();
    vital_signs(jis, &mut all);
    documents(&mut all);
    all
}

/// One measurement: time, systolic, diastolic, pulse, respiration, temperature ×10, oxygen saturation.
type Vitals = (&'static str, [i64; 6]);

fn vital_signs(jis: &Jis, all: &mut Vec<Content>) {
    // 割符花子: the sheet of one ward day, sent twice; the morning's version is history (flag 2).
    let ward = Visit {
        admitting: Some(MITATE),
        ..Visit::at(WARD_4W, MITATE, CARDIO)
    };
    let day: [Vitals; 3] = [
        ("202604080600", [138, 84, 72, 16, 364, 97]),
        ("202604081400", [146, 88, 78, 15, 368, 98]),
        ("202604081900", [129, 76, 70, 16, 366, 98]),
    ];
    let morning = day.get(..1).unwrap_or_default();
    for (written, flag, rows) in [
        ("20260408061500100", '2', morning),
        ("20260408191500200", '1', day.as_slice()),
    ] {
        let patient = hanako();
        let item = Item::of(&patient, VITAL_SIGNS)
            .on("20260408")
            .order("000000020260408");
        let written = Stamp::new(written);
        let bytes = vital_message(jis, &patient, &ward, &item.order, written, rows);
        all.push(Content {
            item,
            written,
            department: "",
            flag,
            files: vec![("main_document.hl7", bytes)],
        });
    }
    // The evening of the bleeding: one folder per measurement, key = day and hour.
    let patient = hanako();
    let item = Item::of(&patient, VITAL_SIGNS)
        .on("20260413")
        .order("000002026041311");
    let written = Stamp::new("20260413111000300");
    let rows: [Vitals; 1] = [("202604131105", [92, 54, 112, 22, 361, 95])];
    let bytes = vital_message(jis, &patient, &ward, &item.order, written, &rows);
    all.push(Content {
        item,
        written,
        department: "",
        flag: '1',
        files: vec![("main_document.hl7", bytes)],
    });
    // 見本次郎: measured in the clinic, with the department in the folder name.
    let patient = jiro();
    let item = Item::of(&patient, VITAL_SIGNS)
        .on("20260112")
        .order("000000020260112");
    let clinic = Visit::at(Place::Clinic("01"), MONSHIN, INTERNAL);
    let written = Stamp::new("20260112091000400");
    let rows: [Vitals; 1] = [("202601120905", [152, 90, 80, 18, 365, 97])];
    let bytes = vital_message(jis, &patient, &clinic, &item.order, written, &rows);
    all.push(Content {
        item,
        written,
        department: "01",
        flag: '1',
        files: vec![("main_document.hl7", bytes)],
    });
}

/// ORU^R30: one OBR, five or six OBX per measurement, the time in OBX-14.
fn vital_message(
    jis: &Jis,
    patient: &Patient,
    visit: &Visit,
    key: &str,
    written: Stamp,
    rows: &[Vitals],
) -> Vec<u8> {
    let mut m = Message::new(jis);
    msh(&mut m, "ORU^R30^ORU_R30", written, Edition::C);
    pid(&mut m, patient);
    pv1(&mut m, visit);
    let first = rows.first().map_or("", |row| row.0);
    let last = rows.last().map_or("", |row| row.0);
    let order = Order::new(key, Stamp::new(first), visit)
        .control("SC")
        .status("CM");
    orc(&mut m, &order, "");
    m.seg("OBR")
        .f(1, "1")
        .f(2, key)
        .f(4, "V01^バイタルサイン^99WRF")
        .f(7, first)
        .f(8, last)
        .f(16, MIMAMORI)
        .f(22, written.second());
    let mut set = 0;
    for (time, values) in rows {
        for ((item, range), value) in VITAL_ITEMS.iter().zip(values) {
            set += 1;
            let (low, high) = item.range;
            obx(
                &mut m,
                set,
                "NM",
                item.code,
                Amount::Of(*value, item.places),
            )
            .f(6, item.unit)
            .f(7, range)
            .f(
                8,
                if *value < low {
                    "L"
                } else if *value > high {
                    "H"
                } else {
                    ""
                },
            )
            .f(11, "F")
            .f(14, time);
        }
    }
    m.into_bytes()
}

/// The items of the sheet with their reference range as the ward writes it.
const VITAL_ITEMS: [(Lab, &str); 6] = [
    (
        lab(
            "9A751000000000001",
            "収縮期血圧（１回目）",
            MM_HG,
            (90, 129),
            0,
        ),
        "<130",
    ),
    (
        lab(
            "9A761000000000001",
            "拡張期血圧（１回目）",
            MM_HG,
            (50, 84),
            0,
        ),
        "<85",
    ),
    (
        lab(
            "9P300000000000001",
            "脈拍（測定部位不明）",
            Code("(hb)", "回／分", "ISO+"),
            (50, 90),
            0,
        ),
        "50-90",
    ),
    (
        lab(
            "9P200000000000001",
            "呼吸数（観察または聴診）",
            Code("/min", "回／分", "ISO+"),
            (12, 20),
            0,
        ),
        "12-20",
    ),
    (
        lab(
            "9P100000000000001",
            "体温（腋窩）",
            Code("cel", "℃", "ISO+"),
            (355, 375),
            1,
        ),
        "35.5-37.5",
    ),
    (
        lab(
            "3H065000000000001",
            "ＳｐＯ２",
            Code("%", "％", "ISO+"),
            (95, 100),
            0,
        ),
        "95-100",
    ),
];

/// mmHg as the vital-sign guideline writes it.
const MM_HG: Code = Code("mm(hg)", "mmHg", "ISO+");

fn documents(all: &mut Vec<Content>) {
    // 退院時サマリー of the stay, with the endoscopy report as a PDF beside it.
    let patient = hanako();
    all.push(Content {
        item: Item::of(&patient, DISCHARGE_SUMMARY)
            .on("20260425")
            .order("260425DS001"),
        written: Stamp::new("20260430171500500"),
        department: "06",
        flag: '1',
        files: vec![
            (
                "main_document.xml",
                cda(&Document {
                    number: "260425.1",
                    code: ("18842-5", "退院時サマリー"),
                    title: "退院時サマリー",
                    at: Stamp::new("20260430171500"),
                    patient: &patient,
                    author: &KAGAMI,
                    service: ("202604071005", "202604251010"),
                    sections: &[
                        (
                            "8648-8",
                            "入院経過",
                            "労作性狭心症の疑いで入院。第７病日に黒色便を認め、内視鏡で十二指腸潰瘍からの出血と判明。\
                             止血後に消化器科へ転科し、経過良好で退院した。",
                        ),
                        ("46240-8", "退院時処方", "プロトンポンプ阻害薬を継続。３か月後に再検。"),
                        ("28010-7", "添付", "上部消化管内視鏡報告書（ＰＤＦ）"),
                    ],
                    attachment: Some(("endoscopy.pdf", "application/pdf")),
                }),
            ),
            (
                "endoscopy.pdf",
                pdf::one_page("Endoscopy report of a person who does not exist"),
            ),
        ],
    });
    // 診療情報提供書 about 見本次郎; no department in the folder name.
    let patient = jiro();
    all.push(Content {
        item: Item::of(&patient, REFERRAL)
            .on("20260316")
            .order("260316RF001"),
        written: Stamp::new("20260316150000600"),
        department: "",
        flag: '1',
        files: vec![(
            "main_document.xml",
            cda(&Document {
                number: "260316.1",
                code: ("57133-1", "診療情報提供書"),
                title: "診療情報提供書",
                at: Stamp::new("20260316150000"),
                patient: &patient,
                author: &MONSHIN,
                service: ("20260112", "20260316"),
                sections: &[
                    (
                        "42349-1",
                        "紹介目的",
                        "糖尿病網膜症の精査をお願いいたします。",
                    ),
                    (
                        "10164-2",
                        "現病歴",
                        "ＨｂＡ１ｃは１月８．２％、３月６．９％と改善。",
                    ),
                ],
                attachment: None,
            }),
        )],
    });
    // 経過記録: a replaced note (flag 2) and the present one.
    let patient = hanako();
    for (written, flag, text) in [
        (
            "20260413180000700",
            '2',
            "止血を確認。絶食とし輸液を継続する。",
        ),
        (
            "20260413183000800",
            '1',
            "止血を確認。絶食とし輸液を継続する。家族へ説明し、転科の同意を得た。",
        ),
    ] {
        all.push(Content {
            item: Item::of(&patient, PROGRESS_NOTE)
                .on("20260413")
                .order("260413PN001"),
            written: Stamp::new(written),
            department: "",
            flag,
            files: vec![(
                "main_document.xml",
                cda(&Document {
                    number: "260413.1",
                    code: ("11506-3", "経過記録"),
                    title: "経過記録",
                    at: Stamp::new(written),
                    patient: &patient,
                    author: &KAGAMI,
                    service: ("20260413", "20260413"),
                    sections: &[("11506-3", "経過", text)],
                    attachment: None,
                }),
            )],
        });
    }
    // A note written for the wrong patient: the folder is renamed to flag 0, nothing is added.
    let patient = jiro();
    all.push(Content {
        item: Item::of(&patient, PROGRESS_NOTE)
            .on("20260413")
            .order("260413PN002"),
        written: Stamp::new("20260413180500900"),
        department: "",
        flag: '0',
        files: vec![(
            "main_document.xml",
            cda(&Document {
                number: "260413.2",
                code: ("11506-3", "経過記録"),
                title: "経過記録",
                at: Stamp::new("20260413180500"),
                patient: &patient,
                author: &KAGAMI,
                service: ("20260413", "20260413"),
                sections: &[("11506-3", "経過", "別患者の記録のため削除。")],
                attachment: None,
            }),
        )],
    });
}

/// What changes from document to document.
struct Document<'a> {
    number: &'a str,
    code: (&'a str, &'a str),
    title: &'a str,
    at: Stamp,
    patient: &'a Patient,
    author: &'a Staff,
    service: (&'a str, &'a str),
    sections: &'a [(&'a str, &'a str, &'a str)],
    attachment: Option<(&'a str, &'a str)>,
}

/// A CDA R2 document with a header and narrative sections, UTF-8.
fn cda(document: &Document<'_>) -> Vec<u8> {
    let Document {
        number,
        code: (loinc, name),
        title,
        at,
        patient,
        author,
        service: (low, high),
        sections,
        attachment,
    } = document;
    let sex = match patient.sex {
        Sex::Female => "F",
        Sex::Male => "M",
    };
    // Writing to a `String` cannot fail.
    let mut body = String::new();
    for (code, heading, text) in *sections {
        let _ = write!(
            body,
            "    <component><section>\n      <code code=\"{code}\" codeSystem=\"2.16.840.1.113883.6.1\"/>\n      \
             <title>{heading}</title>\n      <text>{text}</text>\n    </section></component>\n"
        );
    }
    if let Some((file, media_type)) = attachment {
        let _ = write!(
            body,
            "    <component><section>\n      <title>添付文書</title>\n      \
             <text><renderMultiMedia referencedObject=\"A1\"/></text>\n      \
             <entry><observationMedia classCode=\"OBS\" moodCode=\"EVN\" ID=\"A1\">\n        \
             <value mediaType=\"{media_type}\"><reference value=\"{file}\"/></value>\n      \
             </observationMedia></entry>\n    </section></component>\n"
        );
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <id root="1.2.392.999999.9999.1" extension="{number}"/>
  <code code="{loinc}" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC" displayName="{name}"/>
  <title>{title}</title>
  <effectiveTime value="{}+0900"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="ja-JP"/>
  <recordTarget><patientRole>
    <id root="1.2.392.100495.20.3.51.1{INSTITUTION}" extension="{}"/>
    <patient>
      <name use="IDE"><family>{}</family><given>{}</given></name>
      <name use="SYL"><family>{}</family><given>{}</given></name>
      <administrativeGenderCode code="{sex}" codeSystem="2.16.840.1.113883.5.1"/>
      <birthTime value="{}"/>
    </patient>
  </patientRole></recordTarget>
  <author>
    <time value="{}+0900"/>
    <assignedAuthor>
      <id root="1.2.392.100495.20.3.41.1{INSTITUTION}" extension="{}"/>
      <assignedPerson><name><family>{}</family><given>{}</given></name></assignedPerson>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.392.100495.20.3.23" extension="{INSTITUTION}"/>
    <name>{HOSPITAL}</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <documentationOf><serviceEvent>
    <effectiveTime><low value="{low}"/><high value="{high}"/></effectiveTime>
  </serviceEvent></documentationOf>
  <component><structuredBody>
{body}  </structuredBody></component>
</ClinicalDocument>
"#,
        at.second(),
        patient.id,
        patient.family,
        patient.given,
        patient.family_kana,
        patient.given_kana,
        patient.birth.date(),
        at.second(),
        author.id,
        author.family,
        author.given,
    )
    .into_bytes()
}

/// The rows of table `SSMIXIDX` of these items, without header line.
pub fn index(contents: &[Content]) -> String {
    let mut out = String::with_capacity(INDEX_HEADER.len() * (contents.len() + 1));
    for content in contents {
        // A withdrawn item keeps its row and gets a `DEL` row beside it.
        let acts: &[&str] = match content.flag {
            '0' => &["INS", "DEL"],
            _ => &["INS"],
        };
        for act in acts {
            push_index_row(
                &mut out,
                "ANX01",
                &content.item,
                act,
                content.department,
                content.written,
                &content.name(),
            );
        }
    }
    out
}
