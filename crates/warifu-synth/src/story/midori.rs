//! 架空みどり, 6 years: a cold, and an afternoon on which the clerks enter nearly everything twice.
//! What remains valid is little: the registration, one visit, one test, one prescription.

use crate::codes::{
    ACETAMINOPHEN, ACUTE_BRONCHITIS, Amount, Drug, MAGNESIA, TIPEPIDINE, UPPER_ABDOMINAL_PAIN,
    merit9, route, usage,
};
use crate::messages::{
    Dose, Insurance, Problem, Rp, insurances, obx, prescription, problem, report, rp, spm,
};
use crate::people::{ASOBI, MONSHIN, PAEDIATRICS, midori, midori_twice};
use crate::record::{Code, Patient, Place, Visit, with_check_digit};
use crate::segments::{Edition, Order, evn, orc, pid, pv1};
use crate::storage::{Book, Item};
use crate::time::Stamp;

fn t(digits: &str) -> Stamp {
    Stamp::new(digits)
}

fn clinic() -> Visit {
    Visit::at(Place::Clinic("09"), ASOBI, PAEDIATRICS)
}

pub(super) fn write(book: &mut Book<'_>) {
    book.edition(Edition::H);
    registered_twice(book);
    visits(book);
    doctor(book);
    diseases(book);
    test(book);
    orders(book);
}

fn basic_data(m: &mut crate::hl7::Message<'_>, patient: &Patient) {
    m.seg("EVN").f(2, patient.updated.second()).f(7, "WRF");
    pid(m, patient);
    m.seg("NK1")
        .f(1, "1")
        .f(2, "架空^若葉^^^^^L^I~カクウ^ワカバ^^^^^L^P")
        .f(3, "MTH^母親^HL70063")
        .f(5, "^PRN^CP^^^^^^^^^090-0000-0003");
    pv1(m, &clinic());
    obx(m, 1, "NM", "9N006000000000001^体重^JC10", "20.5")
        .f(6, "kg^kg^ISO+")
        .f(11, "F");
    insurances(
        m,
        &[
            Insurance {
                kind: Code("06", "組合管掌健康保険", "JHSD0001"),
                payer: &with_check_digit("0613999"),
                name: "架空健康保険組合",
                insured: "例示~１２３４~０３",
                group: "架空工業株式会社",
                period: ("20200401", ""),
                class: "MI",
                relationship: "CHD^子供^HL70063",
            },
            Insurance {
                kind: Code("D0", "地方公費", "JHSD0001"),
                payer: &with_check_digit("8813999"),
                name: "架空区子ども医療費助成",
                insured: &with_check_digit("654321"),
                group: "",
                period: ("20260401", "20270331"),
                class: "PE",
                relationship: "SEL^本人^HL70063",
            },
        ],
    );
}

/// ADT-00: under two numbers; the second registration is deleted by A23.
fn registered_twice(book: &mut Book<'_>) {
    let (p, twice) = (midori(), midori_twice());
    book.insert(Item::of(&p, "ADT-00"), "20260508164000004", "-", |m| {
        basic_data(m, &p);
    });
    book.insert(Item::of(&twice, "ADT-00"), "20260508164530104", "-", |m| {
        basic_data(m, &twice);
    });
    book.cancel(Item::of(&twice, "ADT-00"), "20260508171200204", "-", |m| {
        m.seg("EVN").f(2, "20260508171200").f(4, "O").f(7, "WRF");
        pid(m, &twice);
        pv1(m, &clinic());
    });
    // ADT-61: entered for the wrong child; the list is sent again with the entry struck out.
    for (written, action) in [
        ("20260508165000300", "A^追加^HL70323"),
        ("20260508165500400", "D^削除^HL70323"),
    ] {
        book.insert(Item::of(&p, "ADT-61"), written, "-", |m| {
            evn(m, t(written), t(written));
            pid(m, &p);
            m.seg("IAM")
                .f(1, "1")
                .f(2, "FA^食物アレルギー^HL70127")
                .f(3, "J9FA15000016^小麦粉^J-FAGY")
                .f(6, action)
                .f(7, "AL0000091")
                .f(8, "患者取り違え");
        });
    }
}

/// ADT-12: a visit of the 8th stays; one entered for the 9th is cancelled by A11.
fn visits(book: &mut Book<'_>) {
    let p = midori();
    let arrived = |at: &str| {
        let at = t(at);
        move |m: &mut crate::hl7::Message<'_>| {
            evn(m, at, at);
            pid(m, &midori());
            pv1(
                m,
                &Visit {
                    admit: Some(at),
                    ..clinic()
                },
            );
        }
    };
    book.insert(
        Item::of(&p, "ADT-12").on("20260508"),
        "20260508164110500",
        "09",
        arrived("202605081641"),
    );
    book.insert(
        Item::of(&p, "ADT-12").on("20260509"),
        "20260508164200501",
        "09",
        arrived("202605090900"),
    );
    book.cancel_as(
        "ADT^A11^ADT_A09",
        Item::of(&p, "ADT-12").on("20260509"),
        "20260508164330502",
        "09",
        arrived("202605090900"),
    );
}

/// ADT-01: an attending doctor for a child who was never admitted, taken back by A55.
fn doctor(book: &mut Book<'_>) {
    let p = midori();
    for (written, doctor) in [("20260508164400600", MONSHIN), ("20260508164420601", ASOBI)] {
        book.insert(Item::of(&p, "ADT-01"), written, "09", |m| {
            evn(m, t(written), t(written));
            pid(m, &p);
            pv1(
                m,
                &Visit {
                    attending: doctor,
                    ..clinic()
                },
            );
        });
    }
    book.cancel(Item::of(&p, "ADT-01"), "20260508164500602", "09", |m| {
        evn(m, t("20260508164500"), t("20260508164420"));
        pid(m, &p);
        pv1(m, &clinic());
    });
}

/// PPR-01: one disease stays, one is deleted (PRB-1 `DE`).
fn diseases(book: &mut Book<'_>) {
    let p = midori();
    book.insert(
        Item::of(&p, "PPR-01").order("000000260508081"),
        "20260508165600700",
        "09",
        |m| {
            pid(m, &p);
            pv1(m, &clinic());
            problem(
                m,
                &Problem {
                    main: true,
                    outcome: "F^完治^HL70241",
                    end: Some(t("20260515")),
                    ..Problem::new(
                        ACUTE_BRONCHITIS,
                        "PRB260508001",
                        t("20260508165600"),
                        t("20260508"),
                    )
                },
            );
        },
    );
    let item = Item::of(&p, "PPR-01").order("000000260508082");
    let pain = |action, at| Problem {
        action,
        ..Problem::new(UPPER_ABDOMINAL_PAIN, "PRB260508002", at, t("20260508"))
    };
    book.insert(item.clone(), "20260508165700701", "09", |m| {
        pid(m, &p);
        pv1(m, &clinic());
        problem(m, &pain("AD", t("20260508165700")));
    });
    book.cancel(item, "20260508165800702", "09", |m| {
        pid(m, &p);
        pv1(m, &clinic());
        problem(m, &pain("DE", t("20260508165800")));
    });
}

/// OML-11: a rapid test; the report first went out as positive and is deleted, then sent anew.
fn test(book: &mut Book<'_>) {
    let p = midori();
    let visit = clinic();
    let body = |value: &'static str, status: &'static str, number: &'static str| {
        move |m: &mut crate::hl7::Message<'_>| {
            let collected = t("202605081650");
            pid(m, &midori());
            pv1(m, &visit);
            let order = Order::new(number, t("20260508164800"), &visit)
                .control(if status == "D" { "OC" } else { "SC" })
                .filler("000000000508011")
                .status(if status == "D" { "CA" } else { "CM" });
            spm(
                m,
                1,
                "26050800063",
                Code("063", "鼻汁，鼻腔・鼻咽頭擦過物", "JC10"),
                collected,
            );
            report(
                m,
                Code("E005", "迅速検査", "99WRF"),
                &order,
                collected,
                t("20260508170300"),
            );
            obx(
                m,
                1,
                "CWE",
                "5F410143006319011^インフルエンザウイルスＡ型抗原^JC10",
                value,
            )
            .f(11, status)
            .f(14, collected.minute());
        }
    };
    let item = Item::of(&p, "OML-11")
        .on("20260508")
        .order("000000260508011");
    book.insert(
        item.clone(),
        "20260508170310800",
        "09",
        body("+^陽性^JSHR002", "F", "000000260508011"),
    );
    book.cancel(
        item,
        "20260508170800801",
        "09",
        body("+^陽性^JSHR002", "D", "000000260508011"),
    );
    book.insert(
        Item::of(&p, "OML-11")
            .on("20260508")
            .order("000000260508012"),
        "20260508170900802",
        "09",
        body("-^陰性^JSHR002", "F", "000000260508012"),
    );
}

/// OMP-01 with doses by weight stays; OMD of a child who went home is withdrawn.
fn orders(book: &mut Book<'_>) {
    let p = midori();
    let visit = clinic();
    let by_weight = |drug: Drug, each, daily, total| Dose {
        drug,
        each: Amount::Of(each, 2),
        daily: Amount::Of(daily, 2),
        total: Amount::Of(total, 2),
    };
    let powders = [
        by_weight(TIPEPIDINE, 10, 30, 150),
        by_weight(MAGNESIA, 15, 45, 225),
    ];
    let fever = [Dose {
        drug: Drug {
            unit: merit9::MG,
            ..ACETAMINOPHEN
        },
        each: Amount::Of(200, 0),
        daily: Amount::Blank,
        total: Amount::Of(1000, 0),
    }];
    let rps = [
        rp(
            usage::AFTER_MEALS,
            "5^d",
            t("20260508"),
            route::ORAL,
            &powders,
        ),
        Rp {
            text: FEVER,
            ..rp(
                usage::WHEN_FEVERISH,
                "5^回",
                t("20260508"),
                route::ORAL,
                &fever,
            )
        },
    ];
    book.insert(
        Item::of(&p, "OMP-01")
            .on("20260508")
            .order("000000260508021"),
        "20260508171000900",
        "09",
        |m| {
            pid(m, &p);
            pv1(m, &visit);
            prescription(
                m,
                &Order::new("000000260508021", t("20260508170955"), &visit),
                "OHP^外来処方^MR9P~OHI^院内処方^MR9P",
                &rps,
            );
        },
    );
    let item = Item::of(&p, "OMD").on("20260508").order("000000260508041");
    for (control, written) in [("NW", "20260508171500901"), ("CA", "20260508171600902")] {
        let body = |m: &mut crate::hl7::Message<'_>| {
            pid(m, &p);
            pv1(m, &visit);
            orc(
                m,
                &Order::new("000000260508041", t("20260508171500"), &visit).control(control),
                "",
            );
            m.seg("TQ1")
                .f(1, "1")
                .f(3, "TID&１日３回&HL70335")
                .f(7, "202605081800");
            m.seg("ODS").f(1, "D").f(3, "C001^幼児食^99WRF");
        };
        if control == "CA" {
            book.cancel(item.clone(), written, "09", body);
        } else {
            book.insert(item.clone(), written, "09", body);
        }
    }
}

/// A direction whose `&` is data.
const FEVER: &str = "３８．５℃以上 \\T\\ 元気がないとき";
