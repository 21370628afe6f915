//! 見本次郎, 76 years: type 2 diabetes and a forearm fracture in the clinic, over three months;
//! an order replaced, an order withdrawn, an influenza vaccination.

use crate::codes::{
    Amount, BIOCHEMISTRY, CARIES, DIABETES, DIABETES_TYPE_2, FOREARM_FRACTURE, INFLUENZA_VACCINE,
    LOXOPROFEN, METFORMIN, OLMESARTAN_LOCAL, SITAGLIPTIN, route, specimen, usage,
};
use crate::messages::{
    Dose, Drip, Given, Insurance, Problem, VACCINATION, dispensed, injected, injection, insurances,
    obx, prescription, problem, report, result, rp, spm,
};
use crate::people::{CHOZAI, INTERNAL, MIMAMORI, MONSHIN, SHIKEN, jiro};
use crate::record::{Code, Place, Visit, with_check_digit};
use crate::segments::{Edition, Order, evn, orc, pid, pv1};
use crate::storage::{Book, Item};
use crate::time::Stamp;

fn t(digits: &str) -> Stamp {
    Stamp::new(digits)
}

fn clinic() -> Visit {
    Visit::at(Place::Clinic("01"), MONSHIN, INTERNAL)
}

pub(super) fn write(book: &mut Book<'_>) {
    book.edition(Edition::H);
    registration(book);
    vaccination(book);
    // Three visits, a month apart: glucose and HbA1c (scaled by ten), creatinine (by a hundred).
    monthly_visit(book, "20260112", 1, [198, 82], 102);
    monthly_visit(book, "20260216", 2, [171, 76], 108);
    monthly_visit(book, "20260316", 3, [134, 69], 99);
    withdrawn_order(book);
}

fn registration(book: &mut Book<'_>) {
    let p = jiro();
    book.insert(Item::of(&p, "ADT-00"), "20260112083300450", "-", |m| {
        m.seg("EVN").f(2, "20260112083300").f(7, "WRF");
        pid(m, &p);
        m.seg("NK1")
            .f(1, "1")
            .f(2, "見本^雪^^^^^L^I~ミホン^ユキ^^^^^L^P")
            .f(3, "SPO^配偶者^HL70063")
            .f(5, "03-0000-0000");
        pv1(m, &clinic());
        m.seg("DB1").f(1, "1").f(2, "PT").f(4, "Y");
        obx(m, 1, "NM", "9N001000000000001^身長^JC10", "165.0")
            .f(6, "cm^cm^ISO+")
            .f(11, "F");
        obx(m, 2, "NM", "9N006000000000001^体重^JC10", "71.3")
            .f(6, "kg^kg^ISO+")
            .f(11, "F");
        insurances(
            m,
            &[
                Insurance {
                    kind: Code(
                        "39",
                        "高齢者の医療の確保に関する法律による療養の給付",
                        "JHSD0001",
                    ),
                    payer: &with_check_digit("3913999"),
                    name: "東京都後期高齢者医療広域連合（架空）",
                    insured: "~99999999~", // number alone, as repetitions symbol~number~branch
                    group: "",
                    period: ("20250801", "20260731"),
                    class: "MI",
                    relationship: "SEL^本人^HL70063",
                },
                Insurance {
                    kind: Code("D0", "地方公費", "JHSD0001"),
                    payer: &with_check_digit("8013999"),
                    name: "架空区",
                    insured: &with_check_digit("123456"),
                    group: "",
                    period: ("20250801", ""),
                    class: "PE",
                    relationship: "SEL^本人^HL70063",
                },
            ],
        );
    });
    // ADT-61: asked and none known.
    book.insert(Item::of(&p, "ADT-61"), "20260112085500000", "-", |m| {
        evn(m, t("20260112085500"), t("20260112085500"));
        pid(m, &p);
        pv1(m, &clinic());
    });
    // PPR-01: diabetes, and a fracture whose side is a prefix modifier.
    book.insert(
        Item::of(&p, "PPR-01").order("000000260112081"),
        "20260112092000300",
        "01",
        |m| {
            let at = t("20260112092000");
            pid(m, &p);
            pv1(m, &clinic());
            problem(
                m,
                &Problem {
                    main: true,
                    ..Problem::new(DIABETES_TYPE_2, "PRB260112001", at, t("20180604"))
                },
            );
            problem(
                m,
                &Problem {
                    shown: "左前腕骨折の術後",
                    outcome: "S^後遺症^HL70241",
                    end: Some(t("20260220")),
                    prefixes: &[(
                        Code("27000358", "左", "MDCDX2"),
                        Code("5193", "左", "MDCDX2"),
                    )],
                    suffixes: &[(
                        Code("27000771", "の術後", "MDCDX2"),
                        Code("1486", "の術後", "MDCDX2"),
                    )],
                    ..Problem::new(FOREARM_FRACTURE, "PRB260112002", at, t("20251130"))
                },
            );
            orc(m, &Order::new("000000260112081", at, &clinic()), "");
            // 歯科: the disease of one tooth, named by ZPD.
            problem(m, &Problem::new(CARIES, "PRB260112003", at, t("20260105")));
            m.seg("ZPD").f(1, "1").f(2, "1016^右上６^99WRF");
        },
    );
}

/// OMP-02 / OMP-12 of kind 06: lot, expiry and manufacturer stand in RXA-15 to 17.
fn vaccination(book: &mut Book<'_>) {
    let p = jiro();
    let visit = clinic();
    let order = Order::new("000000260112052", t("20260112093000"), &visit);
    let drip = Drip {
        kind: VACCINATION,
        volume: Amount::Of(5, 1),
        rate: Amount::Blank,
        start: t("202601120945"),
        end: t("202601120945"),
        route: route::SUBCUTANEOUS,
        device: None,
        instruction: "",
        components: &[("A", INFLUENZA_VACCINE, Amount::Of(5, 1))],
    };
    book.insert(
        Item::of(&p, "OMP-02").on("20260112").order(order.placer),
        "20260112093005610",
        "01",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            injection(m, &order, "OHP^外来処方^MR9P", &[drip]);
        },
    );
    book.insert(
        Item::of(&p, "OMP-12").on("20260112").order(order.placer),
        "20260112095012080",
        "01",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            let given = Given {
                start: t("20260112094700"),
                end: t("20260112094700"),
                by: MIMAMORI,
                note: "^左上腕伸側^99IC2",
                lot: ("WRF0001A", "20261130", "^架空ワクチン製造所^99WRF"),
                reason: "",
                completion: "CP",
            };
            injected(m, &order, 1, &drip, &given);
        },
    );
}

fn monthly_visit(
    book: &mut Book<'_>,
    day: &str,
    number: u32,
    [glucose, hba1c]: [i64; 2],
    creatinine: i64,
) {
    let p = jiro();
    let visit = clinic();
    let moment = |time: &str| t(&format!("{day}{time}"));
    let stamp = |time: &str| format!("{day}{time}");
    let order_number =
        |kind: &str| format!("000000{}{kind}{number}", day.get(2..).unwrap_or_default());
    // ADT-12 外来受付; in March two departments on one day, both valid.
    let arrived = |m: &mut crate::hl7::Message<'_>, visit: Visit, at: Stamp| {
        evn(m, at.plus_minutes(1), at);
        pid(m, &jiro());
        pv1(
            m,
            &Visit {
                admit: Some(at),
                ..visit
            },
        );
    };
    book.add(
        Item::of(&p, "ADT-12").on(day),
        &stamp("083500111"),
        "01",
        |m| arrived(m, visit, moment("0834")),
    );
    if number == 3 {
        book.add(
            Item::of(&p, "ADT-12").on(day),
            &stamp("103000222"),
            "08",
            |m| {
                arrived(
                    m,
                    Visit {
                        place: Place::Clinic("08"),
                        department: crate::people::CARDIO,
                        attending: crate::people::MITATE,
                        ..visit
                    },
                    moment("1029"),
                );
            },
        );
    }
    // OML-01 / OML-11
    let lab_order = order_number("01");
    let order = Order::new(&lab_order, moment("084000"), &visit);
    book.insert(
        Item::of(&p, "OML-01").on(day).order(&lab_order),
        &stamp("084001010"),
        "01",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            spm(m, 1, "", specimen::PLASMA, moment("0850"));
            orc(m, &order, "");
            m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
            m.seg("OBR")
                .f(1, "1")
                .f(2, &lab_order)
                .f(4, "E004^糖尿病検査^99WRF")
                .f(16, MONSHIN);
            for (set, item) in (1..).zip(DIABETES) {
                m.seg("OBX").f(1, set).f(3, item.code).f(11, "O");
            }
        },
    );
    book.insert(
        Item::of(&p, "OML-11").on(day).order(&lab_order),
        &stamp("093015720"),
        "01",
        |m| {
            let collected = moment("0852");
            let issued = moment("093000");
            let order = order.control("SC").filler("000000000112011").status("CM");
            let [glucose_item, hba1c_item] = DIABETES;
            pid(m, &p);
            pv1(m, &visit);
            spm(m, 1, "26011200022", specimen::PLASMA, collected);
            report(
                m,
                Code("E004", "糖尿病検査", "99WRF"),
                &order,
                collected,
                issued,
            );
            result(m, 1, &glucose_item, glucose, "F", collected);
            m.seg("NTE").f(3, "食後２時間");
            spm(m, 2, "26011200019", specimen::WHOLE_BLOOD, collected);
            report(
                m,
                Code("E004", "糖尿病検査", "99WRF"),
                &order,
                collected,
                issued,
            );
            result(m, 1, &hba1c_item, hba1c, "F", collected);
            spm(m, 3, "26011200023", specimen::SERUM, collected);
            report(
                m,
                Code("E002", "生化学的検査", "99WRF"),
                &order,
                collected,
                issued,
            );
            let chosen = BIOCHEMISTRY
                .iter()
                .filter(|item| item.code.0.starts_with("3C") || item.code.0.starts_with("3F"));
            for (set, item) in (1..).zip(chosen) {
                let value = match item.code.0.get(..5) {
                    Some("3C015") => creatinine,
                    _ => item.range.0 + (item.range.1 - item.range.0) * i64::from(number) / 4,
                };
                result(m, set, item, value, "F", collected);
            }
            // The same urine protein twice: qualitative and as an amount, the second above the scale.
            spm(m, 4, "26011200001", specimen::URINE, moment("0845"));
            report(
                m,
                Code("E003", "尿検査", "99WRF"),
                &order,
                moment("0845"),
                issued,
            );
            obx(
                m,
                1,
                "CWE",
                "1A990000000190153^尿一般物質定性半定量検査－蛋白^JC10",
                "1+^（１＋）^JSHR002",
            )
            .f(8, "A")
            .f(11, "F");
            obx(m, 2, "ST", "1A015000000127101^蛋白定量[尿]^JC10", "> 300")
                .f(6, "mg/dL^mg/dL^ISO+")
                .f(11, "F")
                .f(16, SHIKEN);
        },
    );
    let rx = order_number("02");
    prescriptions(book, day, &rx, number);
}

/// OMP-01: the second month the dose is raised after the order was written: the old order is history.
fn prescriptions(book: &mut Book<'_>, day: &str, rx: &str, number: u32) {
    let p = jiro();
    let visit = clinic();
    let moment = |time: &str| t(&format!("{day}{time}"));
    let whole = |drug, each, daily, days| Dose {
        drug,
        each: Amount::Of(each, 0),
        daily: Amount::Of(daily, 0),
        total: Amount::Of(daily * days, 0),
    };
    let first = [whole(METFORMIN, 1, 2, 28)];
    let raised = [whole(METFORMIN, 2, 4, 28)];
    let morning = [
        whole(SITAGLIPTIN, 1, 1, 28),
        whole(OLMESARTAN_LOCAL, 1, 1, 28),
    ];
    let start = t(day);
    let with = |metformin| {
        [
            rp(
                usage::AFTER_BREAKFAST_SUPPER,
                "28^d",
                start,
                route::ORAL,
                metformin,
            ),
            rp(usage::AFTER_BREAKFAST, "28^d", start, route::ORAL, &morning),
        ]
    };
    let order = Order::new(rx, moment("094500"), &visit);
    let class = "OHP^外来処方^MR9P~OHO^院外処方^MR9P";
    let item = Item::of(&p, "OMP-01").on(day).order(rx);
    book.insert(item.clone(), &format!("{day}094501900"), "01", |m| {
        pid(m, &p);
        pv1(m, &visit);
        prescription(m, &order, class, &with(&first));
    });
    if number == 2 {
        book.insert(item, &format!("{day}100230015"), "01", |m| {
            pid(m, &p);
            pv1(m, &visit);
            prescription(m, &order.control("XO"), class, &with(&raised));
        });
    }
    book.insert(
        Item::of(&p, "OMP-11").on(day).order(rx),
        &format!("{day}111000000"),
        "01",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            dispensed(
                m,
                &order,
                moment("1108"),
                CHOZAI,
                &with(if number == 2 { &raised } else { &first }),
            );
        },
    );
}

/// Orders withdrawn a day later: the order and the withdrawal both have flag 0.
fn withdrawn_order(book: &mut Book<'_>) {
    let p = jiro();
    let visit = clinic();
    let doses = [Dose {
        drug: LOXOPROFEN,
        each: Amount::Of(1, 0),
        daily: Amount::Of(3, 0),
        total: Amount::Of(15, 0),
    }];
    let rps = [rp(
        usage::AFTER_MEALS,
        "5^d",
        t("20260316"),
        route::ORAL,
        &doses,
    )];
    let order = Order::new("000000260316029", t("20260316113000"), &visit);
    let item = Item::of(&p, "OMP-01").on("20260316").order(order.placer);
    book.insert(item.clone(), "20260316113001050", "01", |m| {
        pid(m, &p);
        pv1(m, &visit);
        prescription(m, &order, "OHP^外来処方^MR9P~OHI^院内処方^MR9P", &rps);
    });
    book.cancel(item, "20260316131500700", "01", |m| {
        pid(m, &p);
        pv1(m, &visit);
        prescription(
            m,
            &order.control("CA"),
            "OHP^外来処方^MR9P~OHI^院内処方^MR9P",
            &rps,
        );
    });
    let order = Order::new("000000260316019", t("20260316113500"), &visit);
    let item = Item::of(&p, "OML-01").on("20260316").order(order.placer);
    for (control, written, withdraw) in [
        ("NW", "20260316113502000", false),
        ("OC", "20260317090000400", true),
    ] {
        let body = |m: &mut crate::hl7::Message<'_>| {
            pid(m, &p);
            pv1(m, &visit);
            spm(m, 1, "", specimen::SERUM, t("202603170900"));
            orc(m, &order.control(control), "");
            m.seg("TQ1").f(1, "1").f(9, "R^ルーチン^HL70485");
            m.seg("OBR")
                .f(1, "1")
                .f(2, order.placer)
                .f(4, "E002^生化学的検査^99WRF");
            m.seg("OBX")
                .f(1, "1")
                .f(3, "3B160000002327101^アミラーゼ^JC10^10231^ＡＭＹ^99WRF")
                .f(11, "O");
        };
        if withdraw {
            book.cancel(item.clone(), written, "01", body);
        } else {
            book.insert(item.clone(), written, "01", body);
        }
    }
}
