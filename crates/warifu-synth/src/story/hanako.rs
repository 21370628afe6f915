//! 割符花子, 58 years: chest pain, admission for angina, a bleeding duodenal ulcer on the ward,
//! transfer to gastroenterology, discharge. Every admission event is once entered wrongly and undone.

use crate::codes::{
    ACETAMINOPHEN, ADONA, AMLODIPINE, ANGINA, ASPIRIN, Amount, BIOCHEMISTRY, BLOOD_COUNT,
    DUODENAL_ULCER, GOREISAN, HEPARIN, HIRUDOID, HORIZON, HYPERTENSION, LANSOPRAZOLE, LECICARBON,
    LOXOPROFEN_TAPE, MIYA_BM, OMEPRAZOLE, PREDNISOLONE, RED_CELLS, SALINE, SOLITA, STOMACH_CANCER,
    TRAVATANZ, TRIAL_DRUG, UPPER_ABDOMINAL_PAIN, VITAMIN, route, specimen, usage,
};
use crate::hl7::{Message, Text};
use crate::messages::{
    BLOOD_PRODUCT, Dose, Drip, GENERAL_INJECTION, Given, Insurance, Problem, Rp, dispensed,
    injected, injection, insurances, obx, prescription, problem, report, result, rp, spm,
};
use crate::people::{
    CARDIO, CHOZAI, GASTRO, HIKARI, KAGAMI, MIMAMORI, MITATE, UTSUSHI, WARD_4W, WARD_4W_2, WARD_5E,
    hanako,
};
use crate::record::{Code, Place, Visit, with_check_digit};
use crate::segments::{Edition, Order, evn, evn_planned, orc, pid, pv1};
use crate::storage::{Book, Item};
use crate::time::Stamp;

fn t(digits: &str) -> Stamp {
    Stamp::new(digits)
}

/// One dose of `each`, `daily` a day, `total` dispensed, all whole numbers.
const fn dose(drug: crate::codes::Drug, each: i64, daily: i64, total: i64) -> Dose {
    Dose {
        drug,
        each: Amount::Of(each, 0),
        daily: Amount::Of(daily, 0),
        total: Amount::Of(total, 0),
    }
}

/// An external or as-needed drug: no single dose, no daily dose.
const fn as_needed(drug: crate::codes::Drug, each: Amount, total: i64) -> Dose {
    Dose {
        drug,
        each,
        daily: Amount::Blank,
        total: Amount::Of(total, 0),
    }
}

pub(super) fn write(book: &mut Book<'_>) {
    book.edition(Edition::C);
    registration(book);
    first_visit(book);
    admission(book);
    first_days(book);
    leave(book);
    ulcer(book);
    transfer(book);
    transfusion(book);
    discharge(book);
}

/// The clinic of 循環器科.
fn clinic() -> Visit {
    Visit::at(Place::Clinic("08"), MITATE, CARDIO)
}

/// In ward 4W under 循環器科.
fn ward() -> Visit {
    Visit {
        admitting: Some(MITATE),
        ..Visit::at(WARD_4W, MITATE, CARDIO)
    }
}

/// In ward 5E under 消化器科.
fn ward_after_transfer() -> Visit {
    Visit {
        admitting: Some(MITATE),
        ..Visit::at(WARD_5E, KAGAMI, GASTRO)
    }
}

/// ADT-00: the registration, with everything ADT^A08 may carry.
fn basic_data(m: &mut Message<'_>, recorded: &str, weight: i64, with_food_allergy: bool) {
    let p = hanako();
    m.seg("EVN")
        .f(2, t(recorded).second())
        .f(5, crate::people::UKETSUKE)
        .f(7, "WRF");
    pid(m, &p);
    m.seg("NK1")
        .f(1, "1")
        .f(2, "割符^太郎^^^^^L^I~ワリフ^タロウ^^^^^L^P")
        .f(3, "SPO^配偶者^HL70063")
        .f(4, "^^^^000-0000^JPN^H^東京都架空区割符９丁目９番９９号")
        .f(5, "^PRN^PH^^^^^^^^^03-0000-0002")
        .f(6, "^WPN^CP^^^^^^^^^090-0000-0000")
        .f(13, "架空物産株式会社");
    m.seg("NK1")
        .f(1, "2")
        .f(2, "割符^桜^^^^^L^I~ワリフ^サクラ^^^^^L^P")
        .f(3, "CHD^子供^HL70063")
        .f(5, "090-0000-0001");
    pv1(m, &clinic());
    m.seg("DB1").f(1, "1").f(2, "PT").f(4, "N");
    obx(m, 1, "NM", "9N001000000000001^身長^JC10", "158.4")
        .f(6, "cm^cm^ISO+")
        .f(11, "F");
    obx(
        m,
        2,
        "NM",
        "9N006000000000001^体重^JC10",
        Amount::Of(weight, 1),
    )
    .f(6, "kg^kg^ISO+")
    .f(11, "F");
    obx(
        m,
        3,
        "CWE",
        "5H010000001999911^血液型－ＡＢＯ式^JC10",
        "A^A型^JSHR002",
    )
    .f(11, "F");
    obx(
        m,
        4,
        "CWE",
        "5H020000001999911^血液型－Ｒｈ式^JC10",
        "+^Rh+^JSHR002",
    )
    .f(11, "F");
    m.seg("AL1")
        .f(1, "1")
        .f(2, "DA^薬物アレルギー^HL70127")
        .f(3, "YCM2260701F1271^イソジンガーグル液７％^J-FAGY");
    if with_food_allergy {
        m.seg("AL1")
            .f(1, "2")
            .f(2, "FA^食物アレルギー^HL70127")
            .f(3, "J9FC11310000^さば^J-FAGY");
    }
    insurances(
        m,
        &[
            Insurance {
                kind: Code("C0", "国民健康保険", "JHSD0001"),
                payer: &with_check_digit("13999"),
                name: "架空区国民健康保険",
                insured: "割符０１・２３４５６７～０１", // symbol, number and branch as one text
                group: "",
                period: ("20250401", "20270331"),
                class: "MI",
                relationship: "SEL^本人^HL70063",
            },
            Insurance {
                kind: Code("51", "特定疾患治療費", "JHSD0001"),
                payer: &with_check_digit("5113999"),
                name: "東京都（架空）",
                insured: &with_check_digit("999999"), // recipient number
                group: "",
                period: ("20251001", "20260930"),
                class: "PE",
                relationship: "SEL^本人^HL70063",
            },
            Insurance {
                kind: Code("LI", "労災", "JHSD0001"),
                payer: "",
                name: "架空労働基準監督署",
                insured: "13999999999",
                group: "架空物産株式会社",
                period: ("20260110", ""),
                class: "LI",
                relationship: "SEL^本人^HL70063",
            },
            Insurance {
                kind: Code("OE", "自費（保険なし）", "JHSD0001"),
                payer: "",
                name: "",
                insured: "",
                group: "",
                period: ("", ""),
                class: "OE",
                relationship: "",
            },
        ],
    );
}

fn registration(book: &mut Book<'_>) {
    let p = hanako();
    // ADT-00 患者基本情報: registered in the morning of the first visit, corrected after discharge.
    book.insert(Item::of(&p, "ADT-00"), "20260401090512120", "-", |m| {
        basic_data(m, "20260401090512", 540, false);
    });
    // ADT-61 アレルギー情報: what the patient told at the first visit.
    book.insert(Item::of(&p, "ADT-61"), "20260401092200045", "-", |m| {
        evn(m, t("20260401092200"), t("20260401092200"));
        pid(m, &p);
        pv1(m, &clinic());
        m.seg("IAM")
            .f(1, "1")
            .f(2, "DA^薬物アレルギー^HL70127")
            .f(3, "YCM2260701F1271^イソジンガーグル液７％^J-FAGY")
            .f(4, "MO^中等度^HL70128")
            .f(5, "発疹")
            .f(6, "A^追加^HL70323")
            .f(7, "AL0000001")
            .f(11, "20150620")
            .f(17, "S^疑い^HL70438");
    });
    // PPR-01 病名: suspected angina and, in the same message, hypertension.
    book.insert(
        Item::of(&p, "PPR-01").order("000000260401081"),
        "20260401094030500",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &clinic());
            problem(
                m,
                &Problem {
                    suspected: true,
                    main: true,
                    shown: "狭心症の疑い",
                    suffixes: &[(
                        Code("27000002", "の疑い", "MDCDX2"),
                        Code("8002", "の疑い", "MDCDX2"),
                    )],
                    ..Problem::new(ANGINA, "PRB260401001", t("20260401094030"), t("20260401"))
                },
            );
            problem(
                m,
                &Problem::new(
                    HYPERTENSION,
                    "PRB260401002",
                    t("20260401094030"),
                    t("20190910"),
                ),
            );
        },
    );
}

fn first_visit(book: &mut Book<'_>) {
    let p = hanako();
    let visit = clinic();
    // ADT-12 外来診察の受付
    book.insert(
        Item::of(&p, "ADT-12").on("20260401"),
        "20260401091015003",
        "08",
        |m| {
            evn(m, t("20260401091015"), t("20260401091000"));
            pid(m, &p);
            pv1(
                m,
                &Visit {
                    admit: Some(t("202604010910")),
                    ..visit
                },
            );
        },
    );
    // OMG-03 / OMG-13 心電図: request, one child, report with measured values.
    book.insert(
        Item::of(&p, "OMG-03")
            .on("20260401")
            .order("000000260401031"),
        "20260401093500210",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260401031", t("20260401093500"), &visit);
            for control in ["NW", "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1")
                    .f(1, "1")
                    .f(7, "202604010945")
                    .f(9, "S^至急^HL70485");
                m.seg("OBR")
                    .f(1, "1")
                    .f(2, order.placer)
                    .f(4, "9A110^標準１２誘導心電図^JC10")
                    .f(13, "労作時胸部圧迫感")
                    .f(16, MITATE);
                if control == "PA" {
                    obx(m, 1, "TX", "MS3-34^臨床病名^JSHR", "狭心症の疑い").f(11, "O");
                }
            }
            orc(m, &order.child("000000260401032"), "");
            m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
            m.seg("OBR")
                .f(1, "1")
                .f(2, "000000260401032")
                .f(4, "9A110^標準１２誘導心電図^JC10")
                .f(16, MITATE)
                .f(29, order.placer);
        },
    );
    book.insert(
        Item::of(&p, "OMG-13")
            .on("20260401")
            .order("000000260401031"),
        "20260401101200640",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            orc(
                m,
                &Order::new("000000260401031", t("20260401093500"), &visit)
                    .control("SC")
                    .status("CM"),
                "",
            );
            m.seg("OBR")
                .f(1, "1")
                .f(2, "000000260401031")
                .f(4, "9A110^標準１２誘導心電図^JC10")
                .f(7, "202604010948")
                .f(16, MITATE)
                .f(22, "20260401101200")
                .f(25, "F");
            m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
            m.seg("OBX")
                .f(1, "1")
                .f(2, "TX")
                .f(3, "9A100&IMP^心電図所見^JC10")
                .f(4, "1")
                .f(
                    5,
                    Text("Ｖ４～Ｖ６でＳＴ低下（水平型）\n前回と比較: 変化あり"),
                )
                .f(8, "A")
                .f(11, "F");
            for (set, (code, name, value, unit)) in (2..).zip([
                ("32769", "心拍数", "74", "bpm"),
                ("32770", "ＰＱ時間", "162", "msec"),
                ("58240", "ＱＲＳ幅", "96", "msec"),
                ("56008", "ＱＴ時間", "404", "msec"),
            ]) {
                m.seg("OBX")
                    .f(1, set)
                    .f(2, "NM")
                    .f(3, format_args!("{code}^{name}^99MFR"))
                    .f(4, "2")
                    .f(5, value)
                    .f(6, format_args!("{unit}^{unit}^99MFR"))
                    .f(11, "F")
                    .f(14, "20260401094800");
            }
            // The remaining value types: formatted text with highlighting, date, time.
            for (set, (value_type, code, value)) in (6..).zip([
                (
                    "FT",
                    "9A110161000000049^心電図(実施理由)^JC10",
                    "\\H\\労作時胸痛\\N\\の精査\\.br\\階段で増悪",
                ),
                ("DT", "ECG-LAST^前回検査日^99WRF", "20251020"),
                ("TM", "ECG-TIME^検査開始時刻^99WRF", "094812"),
            ]) {
                m.seg("OBX")
                    .f(1, set)
                    .f(2, value_type)
                    .f(3, code)
                    .f(4, "3")
                    .f(5, value)
                    .f(11, "F");
            }
        },
    );
    // OML-01 検体検査オーダ: serum and whole blood, one order.
    book.insert(
        Item::of(&p, "OML-01")
            .on("20260401")
            .order("000000260401011"),
        "20260401093700110",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260401011", t("20260401093700"), &visit);
            for (set, material, panel, items) in [
                (
                    1,
                    specimen::SERUM,
                    Code("E002", "生化学的検査", "99WRF"),
                    BIOCHEMISTRY.as_slice(),
                ),
                (
                    2,
                    specimen::WHOLE_BLOOD,
                    Code("E001", "血液学的検査", "99WRF"),
                    BLOOD_COUNT.as_slice(),
                ),
            ] {
                spm(m, set, "", material, t("202604010950"));
                orc(m, &order, "");
                m.seg("TQ1")
                    .f(1, "1")
                    .f(7, "202604010950")
                    .f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(1, set)
                    .f(2, order.placer)
                    .f(4, panel)
                    .f(16, MITATE);
                for (line, item) in (1..).zip(items) {
                    // Orders name the analyte without the result id: 15 digits.
                    let order_code = item.code.0.get(..15).unwrap_or_default();
                    m.seg("OBX")
                        .f(1, line)
                        .f(3, format_args!("{order_code}^{}^JC10", item.code.1))
                        .f(11, "O");
                }
            }
        },
    );
    laboratory(book, "20260401103000500", "P"); // preliminary, without the slow tests
    laboratory(book, "20260401113015250", "F"); // final: troponin corrected
    // OMP-01 処方: three Rp, one of them as needed; the pharmacy hands it out the same day.
    let at = t("20260401104500");
    let rps = [
        rp(
            usage::AFTER_BREAKFAST,
            "7^d",
            t("20260401"),
            route::ORAL,
            const { &[dose(AMLODIPINE, 1, 1, 7), dose(ASPIRIN, 1, 1, 7)] },
        ),
        Rp {
            extra: &[usage::EVERY_OTHER_DAY],
            text: "粉砕して服用",
            ..rp(
                usage::AT_BEDTIME,
                "4^d",
                t("20260401"),
                route::ORAL,
                const { &[dose(MIYA_BM, 2, 2, 8)] },
            )
        },
        Rp {
            text: "３８度以上のとき",
            ..rp(
                usage::WHEN_FEVERISH,
                "5^回",
                t("20260401"),
                route::ORAL,
                const { &[as_needed(ACETAMINOPHEN, Amount::Of(1, 0), 5)] },
            )
        },
    ];
    book.insert(
        Item::of(&p, "OMP-01")
            .on("20260401")
            .order("000000260401021"),
        "20260401104510330",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            prescription(
                m,
                &Order::new("000000260401021", at, &visit),
                "OHP^外来処方^MR9P~OHI^院内処方^MR9P",
                &rps,
            );
        },
    );
    book.insert(
        Item::of(&p, "OMP-11")
            .on("20260401")
            .order("000000260401021"),
        "20260401113200900",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260401021", at, &visit);
            dispensed(m, &order, t("20260401113000"), CHOZAI, &rps);
        },
    );
}

/// OML-11 検体検査結果: numbers, comparators, qualitative values, a class, comments.
fn laboratory(book: &mut Book<'_>, written: &str, status: &str) {
    let p = hanako();
    let visit = clinic();
    let collected = t("202604010952");
    let is_final = status == "F";
    book.insert(
        Item::of(&p, "OML-11")
            .on("20260401")
            .order("000000260401011"),
        written,
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260401011", t("20260401093700"), &visit)
                .control("SC")
                .filler("000000000401011")
                .status(if is_final { "CM" } else { "A" });
            spm(m, 1, "26040100011", specimen::SERUM, collected);
            report(
                m,
                Code("E002", "生化学的検査", "99WRF"),
                &order,
                collected,
                t(written),
            );
            let values = [
                72, 44, 8, 24, 19, 183, 71, 26, 68, 142, 47, 151, 52, 171, 141, 42, 104, 8,
            ];
            for (set, (item, value)) in (1..).zip(BIOCHEMISTRY.iter().zip(values)) {
                result(m, set, item, value, status, collected);
            }
            // SN is not allowed in SS-MIX2: comparators are text.
            obx(
                m,
                19,
                "ST",
                "5C093000002305101^高感度トロポニンＩ^JC10^3077^hsTnI^99WRF",
                if is_final { "12.4" } else { "< 10.0" },
            )
            .f(6, "pg/mL^pg/mL^ISO+")
            .f(7, "<26.2")
            .f(11, if is_final { "C" } else { "P" })
            .f(14, collected.minute());
            if is_final {
                m.seg("NTE").f(
                    3,
                    Text("再検により訂正。旧報告値: < 10.0\n溶血 (1+) & 乳び (-)"),
                );
            }
            obx(m, 20, "ST", "8A065000002391901^推算ＧＦＲ^JC10", ">= 60")
                .f(6, "mL/min/1.73m2^mL/min/1.73m2^99WRF")
                .f(11, status);
            obx(
                m,
                21,
                "CWE",
                "5F016141002311711^ＨＢｓ抗原^JC10",
                "-^陰性^JSHR002",
            )
            .f(7, "(-)")
            .f(11, status);
            obx(m, 22, "ST", "5F360141002311711^ＨＣＶ抗体^JC10", "  -").f(11, status);
            if !is_final {
                return;
            }
            spm(m, 2, "26040100012", specimen::WHOLE_BLOOD, collected);
            report(
                m,
                Code("E001", "血液学的検査", "99WRF"),
                &order,
                collected,
                t(written),
            );
            for (set, (item, value)) in (1..).zip(BLOOD_COUNT.iter().zip([91, 408, 112, 342, 262]))
            {
                result(m, set, item, value, "F", collected);
            }
            spm(m, 3, "26040100013", specimen::URINE, t("202604011005"));
            report(
                m,
                Code("E003", "尿検査", "99WRF"),
                &order,
                t("202604011005"),
                t(written),
            );
            for (set, (code, name, value, flag)) in (1..).zip([
                (
                    "1A990000000190153",
                    "尿一般物質定性半定量検査－蛋白",
                    "+-",
                    "A",
                ),
                (
                    "1A990000000192054",
                    "尿一般物質定性半定量検査－糖",
                    " 2 +",
                    "A",
                ),
                ("1A105000000176253", "尿沈渣－赤血球", " 1 - 4", ""),
                ("1A105000000176254", "尿沈渣－白血球", "50-99", "H"),
                ("1A030000000190301", "尿比重", "1.020", ""),
            ]) {
                obx(m, set, "ST", format_args!("{code}^{name}^JC10"), value)
                    .f(
                        6,
                        if name.starts_with("尿沈渣") {
                            "/(hpf)^／ＨＰＦ^ISO+"
                        } else {
                            ""
                        },
                    )
                    .f(8, flag)
                    .f(11, "F");
            }
            // No result: the vessel broke.
            obx(m, 6, "", "1A015000000127101^蛋白定量[尿]^JC10", "").f(11, "X");
            m.seg("NTE").f(3, "検体破損のため再採取依頼");
            // A local item without JLAC10.
            obx(m, 7, "TX", "U-COLOR^尿色調^99WRF", "淡黄色").f(11, "F");
        },
    );
}

fn admission(book: &mut Book<'_>) {
    let p = hanako();
    let planned = |day: &str| {
        let day = t(&format!("{day}1000"));
        move |m: &mut Message<'_>| {
            evn_planned(m, t("20260401105000"), day);
            pid(m, &hanako());
            pv1(m, &ward());
            m.seg("PV2").f(1, WARD_4W).f(8, day.minute());
        }
    };
    // ADT-21 入院予定: planned for the 6th, moved to the 7th: cancelled under the old date.
    book.insert(
        Item::of(&p, "ADT-21").on("20260406"),
        "20260401105000700",
        "08",
        planned("20260406"),
    );
    book.cancel(
        Item::of(&p, "ADT-21").on("20260406"),
        "20260403140001015",
        "08",
        planned("20260406"),
    );
    book.insert(
        Item::of(&p, "ADT-21").on("20260407"),
        "20260403140001016",
        "08",
        planned("20260407"),
    );
    let admitted = |minute: &str| {
        let at = t(minute);
        move |m: &mut Message<'_>| {
            evn(m, t("20260407101500"), at);
            pid(m, &hanako());
            pv1(
                m,
                &Visit {
                    admit: Some(at),
                    ..ward()
                },
            );
        }
    };
    // ADT-22 入院実施: entered for the 6th, undone, entered again for the 7th.
    book.insert(
        Item::of(&p, "ADT-22").on("20260406"),
        "20260407101500120",
        "08",
        admitted("202604061000"),
    );
    book.cancel(
        Item::of(&p, "ADT-22").on("20260406"),
        "20260407101710002",
        "08",
        admitted("202604061000"),
    );
    book.insert(
        Item::of(&p, "ADT-22").on("20260407"),
        "20260407101802440",
        "08",
        admitted("202604071005"),
    );
    // ADT-01 担当医: written at admission.
    book.insert(Item::of(&p, "ADT-01"), "20260407102000000", "08", |m| {
        evn(m, t("20260407102000"), t("202604071005"));
        pid(m, &p);
        pv1(m, &ward());
    });
}

fn first_days(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward();
    // OMD 食事: salt-restricted diet, then a supplement.
    book.insert(
        Item::of(&p, "OMD").on("20260407").order("000000260407041"),
        "20260407104000018",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260407041", t("20260407104000"), &visit);
            orc(m, &order, "");
            m.seg("TQ1")
                .f(1, "1")
                .f(3, "TID&１日３回&HL70335")
                .f(7, "202604071200")
                .f(8, "202604131800")
                .f(9, "R^ルーチン^HL70485");
            m.seg("ODS")
                .f(1, "D")
                .f(3, "E061^心臓食（塩分６ｇ）^99WRF")
                .f(4, "米飯を粥に変更");
            m.seg("ODS")
                .f(1, "P")
                .f(3, "N012^さば禁^99WRF")
                .f(4, "アレルギーのため");
            orc(m, &order, "");
            m.seg("TQ1")
                .f(1, "2")
                .f(3, "QAM&毎朝&HL70335")
                .f(7, "202604080700");
            m.seg("ODS")
                .f(1, "S")
                .f(2, "B^朝食時^99WRF")
                .f(3, "S003^牛乳２００ｍＬ^99WRF");
        },
    );
    // OMP-02 / OMP-12 点滴: two administrations of one order, the rate in RXE-23.
    let drips = [
        Drip {
            kind: GENERAL_INJECTION,
            volume: Amount::Of(520, 0),
            rate: Amount::Of(104, 0),
            start: t("202604071300"),
            end: t("202604071800"),
            route: route::VEIN,
            device: Some(route::PUMP),
            instruction: "^５時間一定速度で^99WRF",
            components: &[
                ("B", SOLITA, Amount::Of(1, 0)),
                ("A", ADONA, Amount::Of(2, 0)),
                ("A", VITAMIN, Amount::Of(1, 0)),
            ],
        },
        Drip {
            kind: GENERAL_INJECTION,
            volume: Amount::Of(1025, 1),
            rate: Amount::Of(41, 1),
            start: t("202604071800"),
            end: t("202604081900"),
            route: route::VEIN,
            device: Some(route::DRIP_SET),
            instruction: "",
            components: &[
                ("B", SALINE, Amount::Of(1, 0)),
                ("A", HEPARIN, Amount::Of(2500, 0)),
            ],
        },
    ];
    book.insert(
        Item::of(&p, "OMP-02")
            .on("20260407")
            .order("000000260407051"),
        "20260407110500077",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            injection(
                m,
                &Order::new("000000260407051", t("20260407110500"), &visit),
                "IHP^入院処方^MR9P~FTP^定時処方^99I01",
                &drips,
            );
        },
    );
    book.insert(
        Item::of(&p, "OMP-12")
            .on("20260407")
            .order("000000260407051"),
        "20260408190830412",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260407051", t("20260407110500"), &visit);
            for (number, drip) in (1..).zip(&drips) {
                injected(
                    m,
                    &order,
                    number,
                    drip,
                    &Given {
                        start: drip.start.plus_minutes(4),
                        end: drip.end.plus_minutes(6),
                        by: MIMAMORI,
                        note: "^左前腕に実施^99IC2",
                        lot: ("", "", ""),
                        reason: "",
                        completion: "CP",
                    },
                );
            }
        },
    );
    // OMP-02 頓用の注射: given as a push, no rate.
    book.insert(
        Item::of(&p, "OMP-02")
            .on("20260408")
            .order("000000260408052"),
        "20260408013000000",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            injection(
                m,
                &Order::new("000000260408052", t("20260408013000"), &visit),
                "IHP^入院処方^MR9P~RDP^臨時処方^99I01",
                &[Drip {
                    kind: Code("03", "麻毒", "99I02"),
                    volume: Amount::Of(2, 0),
                    rate: Amount::Blank,
                    start: t("202604080135"),
                    end: t("202604080135"),
                    route: route::VEIN,
                    device: None,
                    instruction: "^呼吸状態に注意し緩徐に静注^99WRF",
                    components: &[("A", HORIZON, Amount::Of(5, 1))],
                }],
            );
        },
    );
    // OMP-02 治験薬: weight in OBX, the study in CTI.
    book.insert(
        Item::of(&p, "OMP-02")
            .on("20260409")
            .order("000000260409053"),
        "20260409083000150",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            injection(
                m,
                &Order::new("000000260409053", t("20260409083000"), &visit),
                "IHP^入院処方^MR9P~FTP^定時処方^99I01",
                &[Drip {
                    kind: Code("04", "治験薬", "99I02"),
                    volume: Amount::Of(100, 0),
                    rate: Amount::Of(100, 0),
                    start: t("202604090900"),
                    end: t("202604091000"),
                    route: route::VEIN,
                    device: Some(route::PUMP),
                    instruction: "",
                    components: &[
                        ("B", SALINE, Amount::Of(1, 0)),
                        ("A", TRIAL_DRUG, Amount::Of(1, 0)),
                    ],
                }],
            );
            obx(m, 1, "NM", "9N006000000000001^体重^JC10", "54.0")
                .f(6, "kg^kg^ISO+")
                .f(11, "F");
            m.seg("CTI")
                .f(1, "WRF-TRIAL-2026-01")
                .f(2, "P3^第３相^99WRF")
                .f(3, "V1^第１回来院^99WRF");
        },
    );
    chest_x_ray(book);
}

/// OMG-01 / OMG-11 胸部単純撮影: one request, two exposures.
fn chest_x_ray(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward();
    let order = Order::new("000000260407061", t("20260407111000"), &visit);
    let request = "1000000000000000^Ｘ線単純撮影^JJ1017";
    let views = [
        (
            "000000260407062",
            "10000002000202000000030000000000^胸部．Ｘ線単純撮影．臥位正面(A→P)^JJ1017",
        ),
        (
            "000000260407063",
            "10000002000207000000030000000000^胸部．Ｘ線単純撮影．臥位側面(R→L)^JJ1017",
        ),
    ];
    book.insert(
        Item::of(&p, "OMG-01").on("20260407").order(order.placer),
        "20260407111001333",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            for control in ["NW", "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1")
                    .f(1, "1")
                    .f(7, "20260407")
                    .f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(2, order.placer)
                    .f(4, request)
                    .f(12, "N^感染症なし^99WRF")
                    .f(16, MITATE)
                    .f(36, "202604071400");
                if control == "PA" {
                    obx(m, 1, "NM", "01-02^体重^JSHR001", "54.0")
                        .f(6, "kg^kg^ISO+")
                        .f(11, "F");
                    obx(m, 2, "TX", "MS3-34^臨床病名^JSHR", "狭心症の疑い").f(11, "F");
                    obx(
                        m,
                        3,
                        "TX",
                        "MS3-04^検査理由^JSHR",
                        Text("入院時検査 (心胸郭比 > 50% ?)"),
                    )
                    .f(11, "F");
                }
            }
            for (number, view) in views {
                orc(m, &order.child(number), "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(2, number)
                    .f(4, view)
                    .f(16, MITATE)
                    .f(29, order.placer);
            }
        },
    );
    book.insert(
        Item::of(&p, "OMG-11").on("20260407").order(order.placer),
        "20260407142000555",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let ipc = |m: &mut Message<'_>| {
                m.seg("IPC")
                    .f(1, "A2604070001")
                    .f(2, "RP2604070001")
                    .f(3, "1.2.392.999999.9999.20260407.1")
                    .f(5, "CR^^DCM")
                    .f(7, "RM3")
                    .f(9, "WRFCR03");
            };
            for control in ["NW", "PA"] {
                orc(m, &order.control(control).status("CM"), "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(2, order.placer)
                    .f(4, request)
                    .f(7, "202604071405")
                    .f(16, MITATE)
                    .f(22, "20260407142000")
                    .f(25, "F");
                ipc(m);
            }
            for (number, view) in views {
                orc(m, &order.child(number).status("CM"), "");
                m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
                m.seg("OBR")
                    .f(2, number)
                    .f(4, view)
                    .f(7, "202604071405")
                    .f(16, MITATE)
                    .f(22, "20260407142000")
                    .f(25, "F")
                    .f(29, order.placer);
                m.seg("ZE1")
                    .f(1, "1")
                    .f(2, "RS")
                    .f(3, view)
                    .f(4, "1")
                    .f(6, "RT-01^EM-01")
                    .f(7, HIKARI)
                    .f(8, "DE-01")
                    .f(9, "F0101^半切フィルム^99WRF^1^SHT&枚&MR9P^1");
                obx(m, 1, "XCN", "DR-02.EM-01^正従業員の読影医^JSHR", UTSUSHI).f(11, "F");
                obx(m, 2, "TS", "TM-P1^開始時間^JSHR", "20260407140512").f(11, "F");
                obx(m, 3, "TS", "TM-P2^終了時間^JSHR", "20260407140901").f(11, "F");
                m.seg("ZE2")
                    .f(1, "1")
                    .f(2, "120^kV&kV&ISO+")
                    .f(3, "200^mA&mA&ISO+")
                    .f(4, "200^cm&cm&ISO+")
                    .f(5, "16^ms&ms&ISO+")
                    .f(6, "1");
                ipc(m);
            }
        },
    );
}

fn leave(book: &mut Book<'_>) {
    let p = hanako();
    // ADT-31 外出泊: entered for the 9th, cancelled, entered for the 10th.
    let leaves = |minute: &str| {
        let at = t(minute);
        move |m: &mut Message<'_>| {
            evn(m, at.plus_minutes(10), at);
            pid(m, &hanako());
            pv1(m, &ward());
            m.seg("PV2").f(47, "202604111600");
        }
    };
    book.insert(
        Item::of(&p, "ADT-31").on("20260409"),
        "20260409093000111",
        "08",
        leaves("202604091000"),
    );
    book.cancel(
        Item::of(&p, "ADT-31").on("20260409"),
        "20260409094500222",
        "08",
        leaves("202604091000"),
    );
    book.insert(
        Item::of(&p, "ADT-31").on("20260410"),
        "20260410100800300",
        "08",
        leaves("202604101000"),
    );
    // ADT-32 帰院: entered for the 10th by mistake, cancelled, then truly on the 11th.
    let returns = |minute: &str| {
        let at = t(minute);
        move |m: &mut Message<'_>| {
            evn(m, at.plus_minutes(5), at);
            pid(m, &hanako());
            pv1(m, &ward());
            m.seg("PV2").f(47, at.minute());
        }
    };
    book.insert(
        Item::of(&p, "ADT-32").on("20260410"),
        "20260410173000001",
        "08",
        returns("202604101725"),
    );
    book.cancel(
        Item::of(&p, "ADT-32").on("20260410"),
        "20260410174100002",
        "08",
        returns("202604101725"),
    );
    book.insert(
        Item::of(&p, "ADT-32").on("20260411"),
        "20260411155500003",
        "08",
        returns("202604111550"),
    );
}

fn ulcer(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward();
    // PPR-01: the ulcer, a suspected cancer, and a disease the master does not have.
    book.insert(
        Item::of(&p, "PPR-01").order("000000260413081"),
        "20260413161000800",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            problem(
                m,
                &Problem {
                    shown: "出血性十二指腸潰瘍",
                    kind: "H^入院時^JHSD0004",
                    prefixes: &[(
                        Code("27000411", "出血性", "MDCDX2"),
                        Code("4019", "出血性", "MDCDX2"),
                    )],
                    ..Problem::new(
                        DUODENAL_ULCER,
                        "PRB260413001",
                        t("20260413161000"),
                        t("20260413"),
                    )
                },
            );
            problem(
                m,
                &Problem {
                    shown: "早期胃癌の疑い",
                    suspected: true,
                    kind: "H^入院時^JHSD0004",
                    prefixes: &[(
                        Code("27000533", "早期", "MDCDX2"),
                        Code("1027", "早期", "MDCDX2"),
                    )],
                    suffixes: &[(
                        Code("27000002", "の疑い", "MDCDX2"),
                        Code("8002", "の疑い", "MDCDX2"),
                    )],
                    ..Problem::new(
                        STOMACH_CANCER,
                        "PRB260413002",
                        t("20260413161000"),
                        t("20260413"),
                    )
                },
            );
            // 病名未コード化: only the text counts.
            m.seg("PRB")
                .f(1, "AD")
                .f(2, "20260413161000")
                .f(3, "20084317^薬剤性と思われる上腹部不快感^MDCDX2")
                .f(4, "PRB260413003")
                .f(7, "20260412");
            m.seg("NTE").f(3, "鎮痛剤内服後に出現");
        },
    );
    // OMG-02 / OMG-12 上部消化管内視鏡: observation and biopsy.
    endoscopy(book);
    // OML-11 細菌検査: sputum culture, two organisms, susceptibility of the first.
    bacteriology(book);
    // OMP-02 緊急: omeprazole; the order is withdrawn when the patient goes to endoscopy.
    let drip = [Drip {
        kind: GENERAL_INJECTION,
        volume: Amount::Of(100, 0),
        rate: Amount::Of(200, 0),
        start: t("202604131130"),
        end: t("202604131200"),
        route: route::VEIN,
        device: None,
        instruction: "",
        components: &[
            ("B", SALINE, Amount::Of(1, 0)),
            ("A", OMEPRAZOLE, Amount::Of(1, 0)),
        ],
    }];
    let item = Item::of(&p, "OMP-02")
        .on("20260413")
        .order("000000260413051");
    let order = Order::new("000000260413051", t("20260413111500"), &visit);
    book.insert(item.clone(), "20260413111501500", "08", |m| {
        pid(m, &p);
        pv1(m, &visit);
        injection(m, &order, "IHP^入院処方^MR9P~EMP^緊急処方^99I01", &drip);
    });
    book.cancel(item, "20260413114000100", "08", |m| {
        pid(m, &p);
        pv1(m, &visit);
        injection(
            m,
            &order.control("CA"),
            "IHP^入院処方^MR9P~EMP^緊急処方^99I01",
            &drip,
        );
    });
}

fn endoscopy(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward();
    let order = Order::new("000000260413061", t("20260413110000"), &visit);
    let request = "11000000000^検査．上部．－．－．－．－^LENDO";
    let looks = (
        "000000260413062",
        "11000000100^検査．上部．－．－．上部通常内視鏡．－^LENDO",
    );
    let biopsy = (
        "000000260413063",
        "11020001401^検査．上部．胃．－．上部通常内視鏡．生検採取^LENDO",
    );
    let findings = |m: &mut Message<'_>| {
        obx(
            m,
            1,
            "TX",
            "MS3-24^来院所見^JSHR",
            "早朝より黒色便２回。ふらつきあり。血圧９２／５４。",
        )
        .f(11, "F");
        obx(m, 2, "TX", "MS3-34^臨床病名^JSHR", "上部消化管出血").f(11, "F");
        obx(m, 3, "TX", "MS3-04^内視鏡検査理由^JSHR", "出血源検索").f(11, "F");
        obx(m, 4, "CWE", "04-03^視覚障害^JSHR", "NN^なし^JSHR").f(11, "F");
    };
    book.insert(
        Item::of(&p, "OMG-02").on("20260413").order(order.placer),
        "20260413110010210",
        "08",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            for control in ["NW", "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
                m.seg("OBR").f(2, order.placer).f(4, request).f(16, MITATE);
                if control == "PA" {
                    findings(m);
                }
            }
            orc(m, &order.child(looks.0), "");
            m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
            m.seg("OBR")
                .f(2, looks.0)
                .f(4, looks.1)
                .f(16, MITATE)
                .f(29, order.placer);
        },
    );
    book.insert(
        Item::of(&p, "OMG-12").on("20260413").order(order.placer),
        "20260413123500980",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let ipc = |m: &mut Message<'_>| {
                m.seg("IPC")
                    .f(1, "E2604130001")
                    .f(3, "1.2.392.999999.9999.20260413.1")
                    .f(5, "ES^^DCM");
            };
            for control in ["NW", "PA"] {
                orc(m, &order.control(control), "");
                m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
                m.seg("OBR")
                    .f(2, order.placer)
                    .f(4, request)
                    .f(7, "20260413")
                    .f(16, MITATE);
                if control == "PA" {
                    findings(m);
                }
                ipc(m);
            }
            for (nth, (number, procedure)) in (1..).zip([looks, biopsy]) {
                orc(m, &order.child(number), "");
                m.seg("TQ1").f(1, "1").f(9, "S^至急^HL70485");
                m.seg("OBR")
                    .f(2, number)
                    .f(4, procedure)
                    .f(7, "20260413")
                    .f(16, MITATE)
                    .f(29, order.placer);
                m.seg("ZE1").f(1, nth).f(2, "RS").f(3, procedure).f(4, "1");
                obx(m, 1, "XCN", "DR-02.EM-01^正従業員の実施医師^JSHR", KAGAMI).f(11, "F");
                obx(m, 2, "XCN", "NS-01.EM-01^正従業員の看護師^JSHR", MIMAMORI).f(11, "F");
                obx(m, 3, "TS", "TM-P1^開始時間^JSHR", "20260413115530").f(11, "F");
                obx(m, 4, "TS", "TM-P2^終了時間^JSHR", "20260413122045").f(11, "F");
                obx(
                    m,
                    5,
                    "ZRD",
                    "DE-02^薬品^JSHR",
                    "100558502^ホリゾン注射液１０ｍｇ^HOT9^0.5^AMP&アンプル&MR9P",
                )
                .f(11, "F");
                obx(
                    m,
                    6,
                    "CWE",
                    "DE-06^内視鏡^JSHR",
                    "4999999999990^割符式上部内視鏡^JAN",
                )
                .f(11, "F");
                ipc(m);
            }
        },
    );
}

fn bacteriology(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward();
    book.insert(
        Item::of(&p, "OML-11")
            .on("20260412")
            .order("000000260412011"),
        "20260415164500204",
        "08",
        |m| {
            let collected = t("202604120730");
            let issued = t("20260415164500");
            m.seg("NTE").f(3, "喀痰培養同定・感受性");
            pid(m, &p);
            pv1(m, &visit);
            let order = Order::new("000000260412011", t("20260412070000"), &visit)
                .control("SC")
                .filler("000000000412011")
                .status("CM");
            spm(m, 1, "26041200061", specimen::SPUTUM, collected);
            report(
                m,
                Code("6B010000006174149", "培養同定(一般細菌)", "JC10"),
                &order,
                collected,
                issued,
            );
            m.seg("NTE").f(3, "同定結果");
            let culture = [
                ("1", "1131^Streptococcus pneumoniae^JANIS", "(3+)"),
                ("2", "3101^Haemophilus influenzae^JANIS", "(1+)"),
            ];
            for (sub_id, organism, amount) in culture {
                m.seg("OBX")
                    .f(1, sub_id)
                    .f(2, "CWE")
                    .f(3, "6B010000006174114^培養同定(一般細菌)菌名判定^JC10")
                    .f(4, sub_id)
                    .f(5, organism)
                    .f(8, "A")
                    .f(11, "F");
                m.seg("OBX")
                    .f(1, sub_id)
                    .f(2, "ST")
                    .f(3, "6B010000006174111^培養同定(一般細菌)菌量^JC10")
                    .f(4, sub_id)
                    .f(5, amount)
                    .f(8, "A")
                    .f(11, "F");
            }
            m.seg("OBR")
                .f(1, "2")
                .f(2, order.placer)
                .f(3, order.filler)
                .f(4, "6C010000008076249^薬剤感受性検査(一般細菌)^JC10")
                .f(7, collected.minute())
                .f(22, issued.second())
                .f(25, "F")
                .f(
                    26,
                    "6B010000006174114&培養同定(一般細菌)菌名判定&JC10^1^1131",
                );
            orc(m, &order, "");
            for (set, (code, name, value, verdict)) in (1..).zip([
                ("1201", "ペニシリンＧ", "<= 0.06", "S"),
                ("1216", "アンピシリン", "<= 0.25", "S"),
                ("1911", "クラリスロマイシン", "> 4", "R"),
                ("2516", "レボフロキサシン", "1", "I"),
            ]) {
                m.seg("OBX")
                    .f(1, set)
                    .f(2, "ST")
                    .f(
                        3,
                        format_args!("6C010000008076201^{name} ＭＩＣ^JC10^{code}^{name}^JANIS"),
                    )
                    .f(4, "1")
                    .f(5, value)
                    .f(6, "ug/mL^μｇ／ｍＬ^ISO+")
                    .f(8, verdict)
                    .f(11, "F");
            }
        },
    );
}

fn transfer(book: &mut Book<'_>) {
    let p = hanako();
    let planned = |day: &str| {
        let at = t(&format!("{day}1000"));
        move |m: &mut Message<'_>| {
            evn_planned(m, t("20260413170000"), at);
            pid(m, &hanako());
            pv1(m, &ward());
            m.seg("PV2").f(1, WARD_5E).f(8, at.minute());
        }
    };
    // ADT-41 転科・転棟予定: for the 14th, cancelled, then for the 15th.
    book.insert(
        Item::of(&p, "ADT-41").on("20260414"),
        "20260413170010000",
        "08",
        planned("20260414"),
    );
    book.cancel(
        Item::of(&p, "ADT-41").on("20260414"),
        "20260413180010000",
        "08",
        planned("20260414"),
    );
    book.insert(
        Item::of(&p, "ADT-41").on("20260415"),
        "20260413180011000",
        "08",
        planned("20260415"),
    );
    let moved = |minute: &str, from: Place, to: Place| {
        let at = t(minute);
        move |m: &mut Message<'_>| {
            evn(m, at.plus_minutes(20), at);
            pid(m, &hanako());
            pv1(
                m,
                &Visit {
                    place: to,
                    prior: Some(from),
                    ..ward_after_transfer()
                },
            );
        }
    };
    // ADT-42 転科・転棟: the wrong bed at first (cancelled), then two moves on one day (both valid).
    book.insert(
        Item::of(&p, "ADT-42").on("20260415"),
        "20260415102000010",
        "06",
        moved("202604151000", WARD_4W, Place::Ward("5E", "510", "4")),
    );
    book.cancel(
        Item::of(&p, "ADT-42").on("20260415"),
        "20260415103100020",
        "06",
        moved("202604151000", WARD_4W, Place::Ward("5E", "510", "4")),
    );
    book.insert(
        Item::of(&p, "ADT-42").on("20260415"),
        "20260415103200030",
        "06",
        moved("202604151000", WARD_4W, WARD_5E),
    );
    book.add(
        Item::of(&p, "ADT-42").on("20260416"),
        "20260416093000040",
        "06",
        moved("202604160910", WARD_5E, Place::Ward("ICU", "1", "6")),
    );
    book.add(
        Item::of(&p, "ADT-42").on("20260416"),
        "20260416182000050",
        "06",
        moved("202604161800", Place::Ward("ICU", "1", "6"), WARD_5E),
    );
    // ADT-01 担当医の変更: the file of admission becomes history.
    book.insert(Item::of(&p, "ADT-01"), "20260415104000060", "06", |m| {
        evn(m, t("20260415104000"), t("202604151000"));
        pid(m, &p);
        pv1(
            m,
            &Visit {
                prior: Some(WARD_4W),
                ..ward_after_transfer()
            },
        );
    });
}

/// OMP-02 / OMP-12 輸血: stopped after half a bag; a second bag is refused.
fn transfusion(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward_after_transfer();
    let order = Order::new("000000260416051", t("20260416094500"), &visit);
    let bag = |start: &str, end: &str| Drip {
        kind: BLOOD_PRODUCT,
        volume: Amount::Of(280, 0),
        rate: Amount::Of(140, 0),
        start: t(start),
        end: t(end),
        route: route::VEIN,
        device: Some(route::DRIP_SET),
        instruction: "^Ａ型　Ｒｈ＋^99WRF",
        components: &[("B", RED_CELLS, Amount::Of(1, 0))],
    };
    let drips = [
        bag("202604161100", "202604161300"),
        bag("202604161300", "202604161500"),
    ];
    book.insert(
        Item::of(&p, "OMP-02").on("20260416").order(order.placer),
        "20260416094600150",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            injection(m, &order, "IHP^入院処方^MR9P~RDP^臨時処方^99I01", &drips);
        },
    );
    book.insert(
        Item::of(&p, "OMP-12").on("20260416").order(order.placer),
        "20260416151500990",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let given = |start: &str, end: &str, completion, reason, lot| Given {
                start: t(start),
                end: t(end),
                by: MIMAMORI,
                note: "",
                lot,
                reason,
                completion,
            };
            for (number, (drip, given)) in (1..).zip(drips.iter().zip([
                given(
                    "202604161104",
                    "202604161150",
                    "PA",
                    "R03^発熱のため中止^99WRF",
                    ("99-0000-0001", "20260430", "^架空血液センター^99WRF"),
                ),
                given(
                    "202604161300",
                    "202604161300",
                    "RE",
                    "R01^患者拒否^99WRF",
                    ("99-0000-0002", "20260430", ""),
                ),
            ])) {
                injected(m, &order, number, drip, &given);
            }
        },
    );
}

fn discharge(book: &mut Book<'_>) {
    let p = hanako();
    let visit = ward_after_transfer();
    let planned = |day: &str| {
        let at = t(&format!("{day}1000"));
        move |m: &mut Message<'_>| {
            evn_planned(m, t("20260422150000"), at);
            pid(m, &hanako());
            pv1(m, &ward_after_transfer());
            m.seg("PV2").f(9, at.minute());
        }
    };
    // ADT-51 退院予定: for the 24th, cancelled, then for the 25th.
    book.insert(
        Item::of(&p, "ADT-51").on("20260424"),
        "20260422150010100",
        "06",
        planned("20260424"),
    );
    book.cancel(
        Item::of(&p, "ADT-51").on("20260424"),
        "20260423090010100",
        "06",
        planned("20260424"),
    );
    book.insert(
        Item::of(&p, "ADT-51").on("20260425"),
        "20260423090011100",
        "06",
        planned("20260425"),
    );
    discharge_prescription(book, &visit);
    let left = |minute: &str| {
        let at = t(minute);
        move |m: &mut Message<'_>| {
            evn(m, t("20260425103000"), at);
            pid(m, &hanako());
            pv1(
                m,
                &Visit {
                    prior: Some(WARD_4W_2),
                    disposition: "01",
                    admit: Some(t("202604071005")),
                    discharge: Some(at),
                    ..ward_after_transfer()
                },
            );
        }
    };
    // ADT-52 退院実施: entered for the 24th, cancelled, then for the 25th.
    book.insert(
        Item::of(&p, "ADT-52").on("20260424"),
        "20260425101500500",
        "06",
        left("202604241000"),
    );
    book.cancel(
        Item::of(&p, "ADT-52").on("20260424"),
        "20260425102000600",
        "06",
        left("202604241000"),
    );
    book.insert(
        Item::of(&p, "ADT-52").on("20260425"),
        "20260425103000700",
        "06",
        left("202604251010"),
    );
    // PPR-01: outcomes; the list of the first visit becomes history.
    book.insert(
        Item::of(&p, "PPR-01").order("000000260401081"),
        "20260425110000000",
        "06",
        |m| {
            let at = t("20260425110000");
            pid(m, &p);
            pv1(m, &visit);
            problem(
                m,
                &Problem {
                    action: "UP",
                    main: true,
                    end: Some(t("20260425")),
                    kind: "L^退院時^JHSD0004",
                    outcome: "R^回復中^HL70241",
                    ..Problem::new(ANGINA, "PRB260401001", at, t("20260401"))
                },
            );
            problem(
                m,
                &Problem {
                    action: "UP",
                    outcome: "C^継続^JHSD0006",
                    kind: "L^退院時^JHSD0004",
                    ..Problem::new(HYPERTENSION, "PRB260401002", at, t("20190910"))
                },
            );
            problem(
                m,
                &Problem {
                    action: "AD",
                    outcome: "F^完治^HL70241",
                    end: Some(t("20260420")),
                    ..Problem::new(UPPER_ABDOMINAL_PAIN, "PRB260425001", at, t("20260412"))
                },
            );
            m.seg("ZI1")
                .f(1, "1")
                .f(2, "C0^国民健康保険^JHSD0001")
                .f(3, with_check_digit("13999"))
                .f(15, "MI");
        },
    );
    // ADT-61: the complete list after the stay: drug, food, other, pollen, and one struck out.
    book.insert(Item::of(&p, "ADT-61"), "20260425111500777", "-", |m| {
        evn(m, t("20260425111500"), t("20260425111500"));
        pid(m, &p);
        pv1(m, &visit);
        for (set, (kind, allergen, severity, reaction, action, id, status)) in (1..).zip([
            (
                "DA^薬物アレルギー^HL70127",
                "YCM2260701F1271^イソジンガーグル液７％^J-FAGY",
                "MO^中等度^HL70128",
                "発疹",
                "X^変更なし^HL70323",
                "AL0000001",
                "C^確定^HL70438",
            ),
            (
                "FA^食物アレルギー^HL70127",
                "J9FC11310000^さば^J-FAGY",
                "SV^重度^HL70128",
                "呼吸困難",
                "A^追加^HL70323",
                "AL0000002",
                "C^確定^HL70438",
            ),
            (
                "MA^種々のアレルギー^HL70127",
                "LATEX^ラテックス^99WRF",
                "MI^軽度^HL70128",
                "接触部の発赤",
                "A^追加^HL70323",
                "AL0000003",
                "S^疑い^HL70438",
            ),
            (
                "MC^種々の禁忌^HL70127",
                "^造影剤（喘息既往）",
                "",
                "",
                "A^追加^HL70323",
                "AL0000004",
                "",
            ),
            (
                "LA^花粉アレルギー^HL70127",
                "J9NK12000000^スギ花粉^J-FAGY",
                "MI^軽度^HL70128",
                "鼻汁",
                "D^削除^HL70323",
                "AL0000005",
                "E^誤り^HL70438",
            ),
        ]) {
            m.seg("IAM")
                .f(1, set)
                .f(2, kind)
                .f(3, allergen)
                .f(4, severity)
                .f(5, reaction)
                .f(6, action)
                .f(7, id)
                .f(11, if set == 1 { "20150620" } else { "" })
                .f(12, if set == 2 { "小児期" } else { "" })
                .f(13, "20260425")
                .f(14, "割符^花子^^^^^L^I")
                .f(15, "SEL^本人^HL70063")
                .f(17, status)
                .f(18, KAGAMI)
                .f(20, "20260425");
        }
    });
    // ADT-00: new weight and the food allergy; the first registration becomes history.
    book.insert(Item::of(&p, "ADT-00"), "20260425113000888", "-", |m| {
        basic_data(m, "20260425113000", 518, true);
    });
}

/// OMP-01 退院処方: internal, external and as-needed drugs, uneven doses, a refill.
fn discharge_prescription(book: &mut Book<'_>, visit: &Visit) {
    let p = hanako();
    let start = t("20260425");
    let order = Order::new("000000260424021", t("20260424140000"), visit);
    let rps = [
        Rp {
            refill: Amount::Of(3, 0),
            instruction: "^一包化^99WRF",
            ..rp(
                usage::AFTER_BREAKFAST,
                "14^d",
                start,
                route::ORAL,
                const {
                    &[
                        dose(AMLODIPINE, 1, 1, 14),
                        dose(LANSOPRAZOLE, 1, 1, 14),
                        dose(ASPIRIN, 1, 1, 14),
                    ]
                },
            )
        },
        Rp {
            extra: &usage::UNEVEN,
            ..rp(
                usage::AFTER_MEALS,
                "7^d",
                start,
                route::ORAL,
                &[Dose {
                    drug: PREDNISOLONE,
                    each: Amount::Null,
                    daily: Amount::Of(7, 0),
                    total: Amount::Of(49, 0),
                }],
            )
        },
        rp(
            usage::AFTER_MEALS,
            "7^d",
            start,
            route::ORAL,
            const { &[dose(GOREISAN, 1, 3, 21)] },
        ),
        Rp {
            site: "^腰部^99WRF",
            ..rp(
                usage::PATCH,
                "",
                start,
                route::TOPICAL,
                const { &[as_needed(LOXOPROFEN_TAPE, Amount::Null, 14)] },
            )
        },
        Rp {
            site: "^両下腿^99WRF",
            text: "乾燥部に薄く塗布",
            ..rp(
                usage::APPLY,
                "",
                start,
                route::TOPICAL,
                const { &[as_needed(HIRUDOID, Amount::Null, 50)] },
            )
        },
        Rp {
            site: "^両眼^99WRF",
            ..rp(
                usage::EYE_ONCE,
                "",
                start,
                route::EYE,
                &[Dose {
                    drug: TRAVATANZ,
                    each: Amount::Null,
                    daily: Amount::Blank,
                    total: Amount::Of(25, 1),
                }],
            )
        },
        Rp {
            text: "３日間排便がないとき",
            ..rp(
                usage::RECTAL,
                "6^回",
                start,
                route::RECTAL,
                const { &[as_needed(LECICARBON, Amount::Of(1, 0), 6)] },
            )
        },
    ];
    book.insert(
        Item::of(&p, "OMP-01").on("20260424").order(order.placer),
        "20260424140005225",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, visit);
            prescription(m, &order, "IHP^入院処方^MR9P~BTP^退院処方^99I01", &rps);
        },
    );
    // OMP-11 処方の実施: the ward gives what the patient takes in hospital on the last day.
    book.insert(
        Item::of(&p, "OMP-11").on("20260425").order(order.placer),
        "20260425090000010",
        "06",
        |m| {
            pid(m, &p);
            pv1(m, visit);
            dispensed(
                m,
                &order,
                t("202604250815"),
                MIMAMORI,
                &[rp(
                    usage::AFTER_BREAKFAST,
                    "1^d",
                    start,
                    route::ORAL,
                    const { &[dose(AMLODIPINE, 1, 1, 1), dose(LANSOPRAZOLE, 1, 1, 1)] },
                )],
            );
        },
    );
}
